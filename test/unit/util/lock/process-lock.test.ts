import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, link, lstat, mkdir, open, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { StorageError } from "../../../../src/errors.ts";
import {
  type ClaimRecord,
  decodeLockRecord,
  encodeBeat,
  encodeLockRecord,
  newClaim,
} from "../../../../src/util/lock/lock-record.ts";
import { ProcessLock } from "../../../../src/util/lock/process-lock.ts";
import { decodeFrames, encodeFrame } from "../../../../src/util/lock/record-frame.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { temporaryFolder } from "../../../support/images.ts";

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
async function claimOf({ pid = 0 }: ChildProcess): Promise<ClaimRecord> {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  return { ...(await newClaim()), pid, started: { boot, ticks } };
}

describe("ProcessLock.claim()", () => {
  test("creates a file that only its owner may read, with a claim", async () => {
    const path = await lockPath();
    const lock = await claimed(path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path)).toEqual(Buffer.concat([encodeLockRecord(lock.claim), encodeBeat(lock.claim.id, 0)]));
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
      const claim = await claimOf(child);
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
      const { started, ...claim } = await claimOf(child);
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

describe("ProcessLock.claim(), with an owner in another container", () => {
  /** A claim with a pid that runs here, which says nothing. */
  const elsewhere = async (pid = process.pid): Promise<ClaimRecord> => {
    return { ...(await newClaim()), pid, namespace: "0f".repeat(8) };
  };
  const alive = (claim: ClaimRecord, count: number): Buffer =>
    Buffer.concat([encodeLockRecord(claim), encodeBeat(claim.id, count)]);
  const releaseOf = (id: string): Uint8Array => encodeLockRecord({ type: "release", id });
  const overwrite = async (path: string, bytes: Uint8Array, offset = 0): Promise<void> => {
    await using file = await open(path, "r+");
    await file.write(bytes, 0, bytes.length, offset);
  };

  test("does not take two living owners for dead ones: refuses at the first sign of life", async () => {
    const path = await lockPath();
    const owner = await elsewhere();
    await writeFile(path, alive(owner, 4));
    const notes: string[] = [];
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => {
      if (waits.push(ms) === 3) await overwrite(path, alive(owner, 5));
    };
    const onNote = (text: string): void => void notes.push(text);
    await expect(ProcessLock.claim(path, "out", { wait, onNote })).rejects.toThrow(
      `Cannot write "out": process ${process.pid} of another container or machine is writing it, expected no other`,
    );
    expect(waits).toEqual([2000, 2000, 2000]);
    expect(notes).toEqual([
      `"out" is in use by process ${process.pid} of another container or machine: waiting 6 s to see whether it still runs`,
    ]);
  });

  test("takes over after three beats without a sign of life, and the old owner notices", async () => {
    const path = await lockPath();
    const old = await ProcessLock.claim(path, "out");
    const bytes = await readFile(path);
    await overwrite(path, alive({ ...old.claim, namespace: "0f".repeat(8) }, 0));
    const waits: number[] = [];
    const lock = await ProcessLock.claim(path, "out", { wait: async ms => void waits.push(ms) });
    expect(waits).toEqual([2000, 2000, 2000]);
    expect(lock.isFromSilentOwner).toBe(true);
    await overwrite(path, bytes);
    expect(await old.isOwned()).toBe(false);
    await expect(old.checkOwned()).rejects.toThrow('Cannot write "out": another run took it over');
    await old.remove();
    expect(existsSync(path)).toBe(true);
    await lock.checkOwned();
    await lock.remove();
    expect(existsSync(path)).toBe(false);
  });

  test("gives it to the first of two newcomers", async () => {
    const path = await lockPath();
    await writeFile(path, alive(await elsewhere(), 4));
    let second: Promise<unknown> | undefined;
    const wait = async (): Promise<void> => {
      second ??= ProcessLock.claim(path, "out", { wait }).catch((error: unknown) => error);
      await second;
    };
    const first = await ProcessLock.claim(path, "out", { wait });
    expect(await second).toMatchObject({ message: expect.stringContaining(`process ${process.pid} is writing it`) });
    await first.checkOwned();
    await first.remove();
  });

  test("is not won by a newcomer whose own claim another one ended meanwhile", async () => {
    const path = await lockPath();
    await writeFile(path, alive(await elsewhere(), 4));
    const third = await elsewhere(process.ppid);
    let offset = 0;
    let steps = 0;
    const wait = async (): Promise<void> => {
      steps += 1;
      if (steps === 3) {
        const bytes = await readFile(path);
        offset = bytes.length;
        const claims = [...decodeFrames(bytes)].filter(frame => decodeLockRecord(frame)?.type === "claim");
        await appendFile(path, Buffer.concat([alive(third, 0), ...claims.map(({ id }) => releaseOf(id))]));
      }
      if (steps > 3) await overwrite(path, alive(third, steps), offset);
    };
    await expect(ProcessLock.claim(path, "out", { wait })).rejects.toThrow(
      `process ${process.ppid} of another container or machine is writing it`,
    );
  });

  test("does not wait after a restart of this machine, whose disk no other one can write to", async () => {
    const path = await lockPath();
    const claim = await newClaim();
    await writeFile(
      path,
      encodeLockRecord({ ...claim, started: claim.started && { boot: "ab".repeat(16), ticks: 1 } }),
    );
    const wait = async (): Promise<void> => await Promise.reject(new Error("waited"));
    expect((await ProcessLock.claim(path, "out", { wait })).isFromSilentOwner).toBe(false);
  });

  test("renews its claim every two seconds", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    vi.advanceTimersByTime(2000);
    await lock.release();
    expect((await readFile(path)).subarray(0, 128)).toEqual(alive(lock.claim, 1));
  });

  test.each([
    ["standing still", "performance"],
    ["a suspension of the machine, which stops the monotonic clock", "Date"],
  ] as const)("notices at the next write, after %s, that it lost its claim", async (_pause, clock) => {
    vi.useFakeTimers({ toFake: [clock] });
    onTestFinished(() => void vi.useRealTimers());
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    await lock.checkAfterPause();
    vi.advanceTimersByTime(5000);
    await lock.checkAfterPause();
    await appendFile(path, releaseOf(lock.claim.id));
    await expect(lock.checkAfterPause()).rejects.toThrow("another run took it over while this one stood still");
    await lock.release();
  });
});

describe("ProcessLock", () => {
  test("does not believe in its claim when it can no longer renew it, because its file was replaced", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    await rename(path, `${path}.old`);
    await writeFile(path, "another's");
    vi.advanceTimersByTime(2000);
    await lock.release();
    await expect(lock.checkAfterPause()).rejects.toThrow("another run took it over");
    expect(await readFile(path, "utf8")).toBe("another's");
  });

  test("does not remove what has taken its name", async () => {
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    await rename(path, `${path}.old`);
    await writeFile(path, "another's");
    await lock.remove();
    expect(await readFile(path, "utf8")).toBe("another's");
  });

  test("ends without an error where its folder is removed at the same moment", async () => {
    const path = await lockPath();
    const lock = await ProcessLock.claim(path, "out");
    watchOperations(async ({ kind }, run) => {
      if (kind === "remove") await rm(dirname(path), { recursive: true });
      return await run();
    });
    onTestFinished(() => watchOperations(undefined));
    await lock.remove();
    expect(existsSync(path)).toBe(false);
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
