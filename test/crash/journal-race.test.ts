import { existsSync } from "node:fs";
import { readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ArchiveJournal } from "../../src/archive/partial/archive-journal.ts";
import { decodeRecords } from "../../src/archive/partial/journal-record.ts";
import { StorageError } from "../../src/errors.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { temporaryFolder } from "../support/images.ts";

afterEach(() => watchOperations(undefined));

/** Runs `between` once, right before the first write, when the journal is open already. */
function beforeFirstWrite(between: () => Promise<void>): void {
  let isFirst = true;
  watchOperations(async (operation, run) => {
    if (operation.kind === "write" && isFirst) {
      isFirst = false;
      await between();
    }
    return await run();
  });
}

describe("ArchiveJournal.claim()", () => {
  test("tries again when the owner finished, and took the journal away, before the claim was written", async () => {
    const path = join(await temporaryFolder(), "journal");
    const owner = await ArchiveJournal.claim(path, "out.tar");
    beforeFirstWrite(async () => await owner.remove());
    const journal = await ArchiveJournal.claim(path, "out.tar");
    expect([...decodeRecords(await readFile(path))]).toEqual([journal.claim]);
    await journal.remove();
  });

  test("refuses when another process was faster between opening and writing", async () => {
    const path = join(await temporaryFolder(), "journal");
    let faster: ArchiveJournal | undefined;
    beforeFirstWrite(async () => {
      faster = await ArchiveJournal.claim(path, "out.tar");
    });
    await expect(ArchiveJournal.claim(path, "out.tar")).rejects.toThrow(`process ${process.pid} is writing it`);
    expect(faster).toBeDefined();
    await faster?.remove();
  });

  test("tries again when its claim was written over, as happens where appends are not atomic", async () => {
    const path = join(await temporaryFolder(), "journal");
    let isFirst = true;
    watchOperations(async (operation, run) => {
      const result = await run();
      if (operation.kind === "write" && isFirst) {
        isFirst = false;
        await writeFile(path, new Uint8Array(64));
      }
      return result;
    });
    const journal = await ArchiveJournal.claim(path, "out.tar");
    expect([...decodeRecords(await readFile(path))]).toEqual([journal.claim]);
    await journal.remove();
  });

  test("gives up when the journal is taken away again and again", async () => {
    const path = join(await temporaryFolder(), "journal");
    watchOperations(async (operation, run) => {
      if (operation.kind === "write") await unlink(path);
      return await run();
    });
    await expect(ArchiveJournal.claim(path, "out.tar")).rejects.toThrow(StorageError);
    expect(existsSync(path)).toBe(false);
    await rm(path, { force: true });
  });
});
