import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFile } from "../../src/util/disk.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { temporaryFolder } from "../support/images.ts";
import { createWatcher, type Torment } from "./watcher.ts";

/** Writes two words, each an operation after that of the creation. @returns what the file holds when the process would end, or at the end. */
async function written(torment: Torment, folder: string): Promise<string> {
  const path = join(folder, "file");
  let end: () => void = () => undefined;
  const ended = new Promise<void>(resolve => {
    end = resolve;
  });
  watchOperations(createWatcher(torment, end));
  try {
    const work = async (): Promise<void> => {
      await using file = await createFile(path, 0o600);
      await file.write(Buffer.from("first."), 0);
      await file.write(Buffer.from("second"), 6);
    };
    await Promise.race([work(), ended]);
  } finally {
    watchOperations(undefined);
  }
  return await readFile(path, "utf8");
}

describe("createWatcher", () => {
  test.each([
    ["before", 2, ""],
    ["torn", 2, "fir"],
    ["after", 2, "first."],
    ["before", 3, "first."],
    ["torn", 3, "first.sec"],
    ["after", 3, "first.second"],
  ] as const)("createWatcher kills %s operation %i", async (when, at, left) => {
    expect(await written({ kill: { at, when } }, await temporaryFolder())).toBe(left);
  });

  test("createWatcher makes an operation fail as the system does", async () => {
    const failing = written({ fail: { at: 3, code: "ENOSPC" } }, await temporaryFolder());
    await expect(failing).rejects.toMatchObject({ code: "ERR_STORAGE", errno: "ENOSPC" });
  });

  test("createWatcher shortens a write, of which the rest follows, and logs every operation", async () => {
    const folder = await temporaryFolder();
    const log = join(folder, "log");
    expect(await written({ shorten: 2, log }, folder)).toBe("first.second");
    const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
    const target = join(folder, "file");
    expect(lines.map(line => JSON.parse(line) as unknown)).toEqual([
      { kind: "create", target },
      { kind: "write", target, position: 0, length: 6 },
      { kind: "write", target, position: 3, length: 3 },
      { kind: "write", target, position: 6, length: 6 },
    ]);
  });
});
