import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ArchiveJournal } from "../../../../src/archive/partial/archive-journal.ts";
import { decodeRecords, type JournalRecord } from "../../../../src/archive/partial/journal-record.ts";
import { temporaryFolder } from "../../../support/images.ts";

const nonce = "ab".repeat(8);
const progress = (bytes: number): JournalRecord => {
  return { type: "progress", nonce, index: 0, bytes, isDurable: false, claim: nonce };
};

async function journalPath(): Promise<string> {
  return join(await temporaryFolder(), "out.tar.partial.journal");
}

async function recordsIn(path: string): Promise<readonly JournalRecord[]> {
  return [...decodeRecords(await readFile(path))];
}

async function claimed(path: string): Promise<ArchiveJournal> {
  const journal = await ArchiveJournal.claim(path, "out.tar");
  onTestFinished(async () => await journal.release());
  return journal;
}

describe("ArchiveJournal.claim()", () => {
  test("refuses a second owner in the same process, until the first has released it", async () => {
    const path = await journalPath();
    const first = await claimed(path);
    await first.append([progress(5)]);
    await expect(ArchiveJournal.claim(path, "out.tar")).rejects.toThrow(
      `Cannot write "out.tar": process ${process.pid} is writing it, expected no other`,
    );
    await first.append([progress(6)]);
    await first.release();
    const second = await claimed(path);
    expect(second.records.filter(({ type }) => type === "progress")).toEqual([progress(5), progress(6)]);
  });
});

describe("ArchiveJournal", () => {
  test("writes records in the order of the calls, however many wait", async () => {
    const path = await journalPath();
    const journal = await claimed(path);
    const all = Array.from({ length: 200 }, (_, index) => progress(index));
    await Promise.all(all.map(async record => await journal.append([record])));
    expect((await recordsIn(path)).slice(1)).toEqual(all);
  });

  test("has a record in the file when its append settles, whoever else appends", async () => {
    const path = await journalPath();
    const journal = await claimed(path);
    const others = [journal.append([progress(1)]), journal.append([progress(2)])];
    const own = progress(3);
    await journal.append([own]);
    expect(await recordsIn(path)).toContainEqual(own);
    await Promise.all(others);
  });
});
