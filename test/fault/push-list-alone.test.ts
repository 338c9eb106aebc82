import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lock } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putSharingImages } from "./shards-support.ts";

ownEnvironment();

test.each([[[]], [["--shard", "0/2"]], [["--dry-run"]]])(
  "push of a lock without an archive is refused with the right forms, and does not end as if all were sent: %j",
  async flags => {
    const from = await ScriptedRegistry.start();
    const names = putSharingImages(from.content, 2).map(name => `${from.host}/${name}`);
    const list = join(await temporaryFolder(), "site.lock");
    writeFileSync(list, (await lock(names)).text);
    const { exitCode, stderr } = await runCommand("push", "-f", list, "--to", from.host, ...flags);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `Cannot push the images of "${list}": found no archive, expected the one that they are in`,
    );
    expect(stderr).toContain(`imgpack push ARCHIVE -f ${list}`);
    expect(stderr).toContain(`imgpack copy -f ${list} --to HOST`);
  },
);
