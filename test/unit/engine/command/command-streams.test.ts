import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadByCommand } from "../../../../src/engine/command/command-streams.ts";
import { temporaryFolder } from "../../../support/images.ts";

test.skipIf(process.platform === "win32")(
  "a load that is given up ends its program by what is no tar, so that the program removes its own copy",
  async () => {
    const copy = join(await temporaryFolder(), "copy");
    const command = { program: "sh", env: process.env, what: "podman", hints: { start: "", permit: "" } };
    const script = 'cat > "$0.part"; cp "$0.part" "$0"; rm "$0.part"; exit 125';
    const load = await loadByCommand(command, ["-c", script, copy], "load images", () => [], undefined);
    await new Promise(resolve => load.body.write("start", resolve));
    await load[Symbol.asyncDispose]();
    const got = await readFile(copy);
    expect(got.subarray(0, 5).toString()).toBe("start");
    expect(got.subarray(5).equals(Buffer.alloc(64 * 1024, 0xff))).toBe(true);
    expect(existsSync(`${copy}.part`)).toBe(false);
  },
);
