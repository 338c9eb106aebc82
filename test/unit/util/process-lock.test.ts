import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, link, lstat, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import { type ClaimRecord, encodeLockRecord } from "../../../src/util/lock-record.ts";
import { ProcessLock } from "../../../src/util/process-lock.ts";
import { encodeFrame } from "../../../src/util/record-frame.ts";
import { temporaryFolder } from "../../support/images.ts";

const HAS_PROC = existsSync("/proc/self/stat");
/** A record of an owner. */
const record = (number: number): Buffer =>
  Buffer.from(encodeFrame(7, "ab".repeat(8), bytes => bytes.writeUInt32LE(number, 16)));

async function lockPath(): Promise<string> {
  return join(await temporaryFolder(), "out.partial.lock");
}

async function claimed(path: string): Promise<ProcessLock> {
  const lock = await ProcessLock.claim(path, "out");
  onTestFinished(async () => await lock.release());
  return lock;
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

describe("ProcessLock.claim()", () => {
  test("creates a file that only its owner may read, with a claim", async () => {
    const path = await lockPath();
    const lock = await claimed(path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path)).toEqual(encodeLockRecord(lock.claim));
    expect(lock.earlier).toHaveLength(0);
    expect(lock.claim.pid).toBe(process.pid);
  });

  test("refuses a second owner in the same process, until the first has released it", async () => {
    const path = await lockPath();
    const first = await claimed(path);
    await first.append(record(5));
    await expect(ProcessLock.claim(path, "out")).rejects.toThrow(
      `Cannot write "out": process ${process.pid} is writing it, expected no other`,
    );
    await first.append(record(6));
    await first.release();
    const second = await claimed(path);
    expect(second.earlier.includes(record(5))).toBe(true);
    expect(second.earlier.includes(record(6))).toBe(true);
  });

  test("gives it to exactly one of many who ask at once", async () => {
    const path = await lockPath();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => ProcessLock.claim(path, "out")));
    const owners = asked.flatMap(result => (result.status === "fulfilled" ? [result.value] : []));
    expect(owners).toHaveLength(1);
    await owners[0]?.remove();
    expect(existsSync(path)).toBe(false);
  });

  test.runIf(HAS_PROC)(
    "refuses while another process that claimed it lives, and takes it over when that is dead",
    async () => {
      const path = await lockPath();
      const child = sleeper();
      const claim = claimOf(child);
      await writeFile(path, Buffer.concat([encodeLockRecord(claim), record(7)]));
      const refused = await ProcessLock.claim(path, "out").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StorageError);
      expect(refused).toMatchObject({
        exitCode: 9,
        message: expect.stringContaining(`process ${child.pid} is writing`),
      });
      child.kill("SIGKILL");
      await once(child, "exit");
      const lock = await claimed(path);
      expect(lock.earlier.subarray(0, 128)).toEqual(Buffer.concat([encodeLockRecord(claim), record(7)]));
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
        const path = await lockPath();
        await writeFile(path, encodeLockRecord({ ...claim, started: then }));
        expect((await claimed(path)).earlier).toHaveLength(64);
      }
    },
  );

  test("sees the owner after a torn record", async () => {
    const path = await lockPath();
    await writeFile(path, record(1).subarray(0, 40));
    const first = await claimed(path);
    expect(first.earlier).toHaveLength(40);
    await appendFile(path, record(1).subarray(0, 13));
    await expect(ProcessLock.claim(path, "out")).rejects.toThrow(StorageError);
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
    const path = await lockPath();
    await make(path);
    const before = await describeAll(dirname(path));
    const refused = await ProcessLock.claim(path, "out").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({ message: expect.stringContaining("expected a lock file of imgpack or nothing") });
    expect(await describeAll(dirname(path))).toEqual(before);
  });
});

describe("ProcessLock", () => {
  test("does not remove what has taken its name", async () => {
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    await rename(path, `${path}.old`);
    await writeFile(path, "another's");
    await lock.remove();
    expect(await readFile(path, "utf8")).toBe("another's");
  });

  test("is let go once: releasing it after it was removed changes nothing", async () => {
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    await lock.remove();
    await lock.release();
    expect(existsSync(path)).toBe(false);
    await (await ProcessLock.claim(path, "out")).remove();
  });
});

async function linked(path: string): Promise<void> {
  await writeFile(`${path}.other`, record(1));
  await link(`${path}.other`, path);
}

async function linkedTo(path: string): Promise<void> {
  await writeFile(`${path}.other`, record(1));
  await symlink(`${path}.other`, path);
}

/** Kinds, sizes, times and contents. */
async function describeAll(folder: string): Promise<string> {
  return execFileSync("sh", ["-c", "stat -c '%n %F %s %Y %i %h' -- *; cat -- $(find . -type f | sort)"], {
    cwd: folder,
    encoding: "utf8",
  });
}
