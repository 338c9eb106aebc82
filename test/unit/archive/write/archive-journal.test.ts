import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, link, lstat, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ArchiveJournal } from "../../../../src/archive/write/archive-journal.ts";
import {
  type ClaimRecord,
  decodeRecords,
  encodeRecord,
  type JournalRecord,
} from "../../../../src/archive/write/journal-record.ts";
import { StorageError } from "../../../../src/errors.ts";
import { temporaryFolder } from "../../../support/images.ts";

const HAS_PROC = existsSync("/proc/self/stat");
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

function sleeper(): ChildProcess {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 60000)"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** As that process would claim it. */
function claimOf({ pid = 0 }: ChildProcess): ClaimRecord {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  return { type: "claim", id: "cd".repeat(8), pid, started: { boot, ticks } };
}

describe("ArchiveJournal.claim()", () => {
  test("begins a journal that only its owner may read, with a claim", async () => {
    const path = await journalPath();
    const journal = await claimed(path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await recordsIn(path)).toEqual([journal.claim]);
    expect(journal.records).toEqual([]);
    expect(journal.claim.pid).toBe(process.pid);
  });

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

  test("gives it to exactly one of many who ask at once", async () => {
    const path = await journalPath();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => ArchiveJournal.claim(path, "out.tar")));
    const owners = asked.flatMap(result => (result.status === "fulfilled" ? [result.value] : []));
    expect(owners).toHaveLength(1);
    await owners[0]?.remove();
    expect(existsSync(path)).toBe(false);
  });

  test.runIf(HAS_PROC)(
    "refuses while another process that claimed it lives, and takes it over when that is dead",
    async () => {
      const path = await journalPath();
      const child = sleeper();
      const claim = claimOf(child);
      await writeFile(path, Buffer.concat([encodeRecord(claim), encodeRecord(progress(7))]));
      const refused = await ArchiveJournal.claim(path, "out.tar").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StorageError);
      expect(refused).toMatchObject({
        exitCode: 9,
        message: expect.stringContaining(`process ${child.pid} is writing`),
      });
      child.kill("SIGKILL");
      await once(child, "exit");
      const journal = await claimed(path);
      expect(journal.records.slice(0, 2)).toEqual([claim, progress(7)]);
    },
  );

  test.runIf(HAS_PROC)(
    "takes it over from a process whose number another one has now, and after a reboot",
    async () => {
      const child = sleeper();
      const { started, ...claim } = claimOf(child);
      for (const then of [
        { boot: started?.boot ?? "", ticks: (started?.ticks ?? 0) + 1 },
        { boot: "e".repeat(32), ticks: started?.ticks ?? 0 },
      ]) {
        const path = await journalPath();
        await writeFile(path, encodeRecord({ ...claim, started: then }));
        expect((await claimed(path)).records).toHaveLength(1);
      }
    },
  );

  test("sees the owner behind a torn record", async () => {
    const path = await journalPath();
    await writeFile(path, encodeRecord(progress(1)).subarray(0, 40));
    const first = await claimed(path);
    expect(first.records).toEqual([]);
    await appendFile(path, encodeRecord(progress(1)).subarray(0, 13));
    await expect(ArchiveJournal.claim(path, "out.tar")).rejects.toThrow(StorageError);
  });

  const others: readonly (readonly [string, (path: string) => Promise<void>])[] = [
    ["a text", async path => await writeFile(path, "my notes\n")],
    ["a hard link", async path => await linked(path)],
    ["a symbolic link", async path => await symlink("elsewhere", path)],
    ["a symbolic link to a file", async path => await linkedTo(path)],
    ["a folder", async path => void (await mkdir(path))],
    ["a pipe", async path => void execFileSync("mkfifo", [path])],
  ];
  test.each(others)("F-01 refuses %s under its name and touches nothing", async (_name, make) => {
    const path = await journalPath();
    await make(path);
    const before = await describeAll(dirname(path));
    const refused = await ArchiveJournal.claim(path, "out.tar").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({ message: expect.stringContaining("expected a journal or nothing") });
    expect(await describeAll(dirname(path))).toEqual(before);
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

  test("does not remove what has taken its name", async () => {
    const path = await journalPath();
    const journal = await ArchiveJournal.claim(path, "out.tar");
    await rename(path, `${path}.old`);
    await writeFile(path, "another's");
    await journal.remove();
    expect(await readFile(path, "utf8")).toBe("another's");
  });

  test("is let go once: releasing it after it was removed changes nothing", async () => {
    const path = await journalPath();
    const journal = await ArchiveJournal.claim(path, "out.tar");
    await journal.remove();
    await journal.release();
    expect(existsSync(path)).toBe(false);
    await (await ArchiveJournal.claim(path, "out.tar")).remove();
  });
});

async function linked(path: string): Promise<void> {
  await writeFile(`${path}.other`, encodeRecord(progress(1)));
  await link(`${path}.other`, path);
}

async function linkedTo(path: string): Promise<void> {
  await writeFile(`${path}.other`, encodeRecord(progress(1)));
  await symlink(`${path}.other`, path);
}

/** Kinds, sizes, times and contents. */
async function describeAll(folder: string): Promise<string> {
  return execFileSync("sh", ["-c", "stat -c '%n %F %s %Y %i %h' -- *; cat -- $(find . -type f | sort)"], {
    cwd: folder,
    encoding: "utf8",
  });
}
