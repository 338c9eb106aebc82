import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeRecords, type JournalRecord } from "../../src/archive/partial/journal-record.ts";
import { bytesBlob } from "../../src/content/blob.ts";
import { StorageError } from "../../src/errors.ts";
import { type Operation, watchOperations } from "../../src/util/operation-hook.ts";
import { deferred } from "../../src/util/promises.ts";
import { temporaryFolder } from "../support/images.ts";
import { turns } from "../support/memory-blobs.ts";
import { withFault } from "./faults.ts";
import { OperationLog } from "./operation-log.ts";
import { pullImage, referenceOf, testImage } from "./pulling.ts";
import { begin } from "./unfinished.ts";

const KIB = 1024;
const image = testImage([10, 20, 30, 40].map(size => [`layer ${size}`, size * KIB] as const));

afterEach(() => {
  watchOperations(undefined);
  vi.useRealTimers();
});

async function outputPath(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

function recordsOf({ bytes }: Operation): readonly JournalRecord[] {
  return bytes === undefined ? [] : [...decodeRecords(Buffer.from(bytes))];
}

/** Operations as words, such as "write out.tar.partial". */
const words = ({ kind, target }: Operation): string => `${kind} ${basename(target)}`;

describe("pull", () => {
  test("syncs the data, then the folder once, before the journal says that it is durable, and syncs that, too", async () => {
    const path = await outputPath();
    const log = new OperationLog();
    await log.record(async () => await pullImage(image, path, { concurrency: 1, checkpointBytes: 16 * KIB }));
    const operations = log.operations;
    const durable = operations.flatMap((operation, index) =>
      recordsOf(operation).some(record => record.type === "progress" && record.isDurable) ? [index] : [],
    );
    expect(durable.length).toBeGreaterThan(2);
    for (const index of durable) {
      const before = operations.slice(0, index).filter(({ kind }) => kind !== "write" && kind !== "sync-folder");
      expect(before.map(words).at(-1)).toBe("datasync out.tar.partial");
      const next = operations.slice(index + 1).find(({ kind }) => kind !== "write");
      expect(next && words(next)).toBe("datasync out.tar.partial.journal");
    }
    const folder = operations.findIndex(({ kind }) => kind === "sync-folder");
    expect(folder).toBeLessThan(durable[0] ?? 0);
    expect(operations.filter(({ kind }) => kind === "sync-folder")).toHaveLength(2);
  });

  test("ends with the data, the first header and its name, each durable before the next, and syncs nothing else", async () => {
    const path = await outputPath();
    const log = new OperationLog();
    await log.record(async () => await pullImage(image, path, { checkpointBytes: 1024 * KIB }));
    expect(log.operations.slice(-8).map(words)).toEqual([
      "datasync out.tar.partial",
      `sync-folder ${basename(join(path, ".."))}`,
      "write out.tar.partial",
      "sync out.tar.partial",
      "write out.tar.partial.journal",
      "rename out.tar.partial",
      `sync-folder ${basename(join(path, ".."))}`,
      "remove out.tar.partial.journal",
    ]);
    expect(log.operations.filter(({ kind }) => kind.includes("sync"))).toHaveLength(4);
  });

  test("syncs no more often than every five seconds, however fast the blobs come", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { session, blobs, bytesOf } = await begin(image, await outputPath(), { checkpointBytes: 1 });
    const log = new OperationLog();
    await log.record(async () => {
      for (const blob of blobs) {
        await session.put(blob, bytesBlob(bytesOf(blob)));
        vi.advanceTimersByTime(2600);
      }
      await session[Symbol.asyncDispose]();
    });
    expect(blobs).toHaveLength(5);
    const synced = log.operations.filter(operation => words(operation) === "datasync out.tar.partial");
    expect(synced).toHaveLength(2);
  });

  test("has the disk write while bytes still arrive, and ends if that fails, though a later sync would succeed", async () => {
    const path = await outputPath();
    const log = new OperationLog();
    const often = { checkpointBytes: KIB * KIB, writebackBytes: 16 * KIB, concurrency: 1 };
    await log.record(async () => await pullImage(image, path, often));
    const isSync = ({ kind, target }: Operation): boolean => kind === "datasync" && target.endsWith(".partial");
    // The last one, and at least one before: a slow disk gets the next one when it has done the first.
    expect(log.operations.filter(isSync).length).toBeGreaterThan(1);
    let syncs = 0;
    watchOperations(async (operation, run) => {
      if (isSync(operation) && syncs++ === 0) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      return await run();
    });
    await expect(pullImage(image, await outputPath(), often)).rejects.toMatchObject({ exitCode: 9 });
    expect(syncs).toBe(1);
  });

  test("records nothing as durable if a sync in the background fails next to one that succeeds", async () => {
    const always = { checkpointBytes: 1, checkpointMs: 0, writebackBytes: 1 };
    const { session, blobs, bytesOf } = await begin(image, await outputPath(), always);
    const [big] = blobs;
    if (big === undefined) throw new Error("no blob in the image");
    const succeeded = deferred<void>();
    const durable: JournalRecord[] = [];
    let syncs = 0;
    watchOperations(async (operation, run) => {
      durable.push(...recordsOf(operation).filter(record => record.type === "progress" && record.isDurable));
      if (words(operation) !== "datasync out.tar.partial") return await run();
      syncs += 1;
      if (syncs > 1) {
        const result = await run();
        succeeded.resolve();
        return result;
      }
      await succeeded.promise;
      await turns(20);
      throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    });
    await session.put(big, bytesBlob(bytesOf(big)));
    await session[Symbol.asyncDispose]();
    expect(syncs).toBe(2);
    expect(durable).toEqual([]);
  });

  test("has one sync of the data under way at a time, however fast the blobs come", async () => {
    const path = await outputPath();
    let underWay = 0;
    let most = 0;
    watchOperations(async (operation, run) => {
      const isSync = operation.kind === "datasync" && operation.target.endsWith(".partial");
      if (!isSync) return await run();
      underWay += 1;
      most = Math.max(most, underWay);
      await turns(20);
      try {
        return await run();
      } finally {
        underWay -= 1;
      }
    });
    await pullImage(image, path, { checkpointBytes: 1, concurrency: 4 });
    expect(most).toBe(1);
  });

  test("does not call a blob durable that was reset, and written anew, while its sync was under way", async () => {
    const path = await outputPath();
    const { session, blobs, bytesOf } = await begin(image, path, { checkpointBytes: 40 * KIB, checkpointMs: 0 });
    const [big] = blobs;
    if (big === undefined) throw new Error("no blob in the image");
    const syncing = deferred<void>();
    const mayGoOn = deferred<void>();
    const events: string[] = [];
    watchOperations(async (operation, run) => {
      if (recordsOf(operation).some(record => record.type === "progress" && record.isDurable)) events.push("durable");
      const result = await run();
      if (operation.kind !== "datasync" || !operation.target.endsWith(".partial")) return result;
      events.push("synced");
      syncing.resolve();
      await mayGoOn.promise;
      return result;
    });
    const blob = bytesBlob(bytesOf(big));
    await session.put(big, blob);
    await syncing.promise;
    await session.forget?.(big);
    // It is a whole window ahead of the disk, and waits.
    const again = session.put(big, blob);
    while (session.kept?.(big)?.size !== big.size) await turns(1);
    mayGoOn.resolve();
    await again;
    await session[Symbol.asyncDispose]();
    expect(events.slice(0, 2)).toEqual(["synced", "synced"]);
  });

  test("has it on the disk that a blob is forgotten before other bytes take its place", async () => {
    const { session, blobs, bytesOf } = await begin(image, await outputPath());
    const [big] = blobs;
    if (big === undefined) throw new Error("no blob in the image");
    await session.put(big, bytesBlob(bytesOf(big)));
    const log = new OperationLog();
    await log.record(async () => await session.forget?.(big));
    expect(log.operations.map(words)).toEqual(["write out.tar.partial.journal", "datasync out.tar.partial.journal"]);
    await session[Symbol.asyncDispose]();
  });

  test("writes nothing more, and gives no name, after the first fault, though the disk takes all that comes later", async () => {
    const path = await outputPath();
    const { session, blobs, bytesOf } = await begin(image, path);
    const [first, second] = blobs;
    if (first === undefined || second === undefined) throw new Error("no two blobs in the image");
    const put = async (): Promise<void> => await session.put(first, bytesBlob(bytesOf(first)));
    const { error } = await withFault(put, "EIO", 0);
    expect(error).toBeInstanceOf(StorageError);
    await expect(put()).rejects.toBe(error);
    await expect(session.put(second, bytesBlob(bytesOf(second)))).rejects.toBe(error);
    await session[Symbol.asyncDispose]();
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  test.each([
    ["written to the journal", "rename", ["out.tar.partial", "out.tar.partial.journal"]],
    ["given its name, its journal still there", "remove", ["out.tar", "out.tar.partial.journal"]],
  ])("fetches nothing when it was killed after the archive was %s", async (_name, kind, left) => {
    const path = await outputPath();
    const reference = await referenceOf(image);
    const { operations } = await recorded(image);
    const killAt = operations.findLastIndex(operation => operation.kind === kind);
    await new OperationLog().record(async () => await pullImage(image, path, { concurrency: 1 }), killAt);
    expect(await readdir(join(path, ".."))).toEqual(left);
    expect(await pullImage(image, path)).toBe(0);
    expect((await readFile(path)).equals(reference)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });

  test("takes a complete file whose journal a power cut took, and fetches nothing", async () => {
    const path = await outputPath();
    await writeFile(`${path}.partial`, await referenceOf(image));
    expect(await pullImage(image, path)).toBe(0);
    expect((await readFile(path)).equals(await referenceOf(image))).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });

  test.each([
    ["a blob", 20 * KIB],
    ["the metadata", 600],
  ])(
    "changes nothing in a file without a journal that differs from the archive in %s only",
    async (_where, position) => {
      const path = await outputPath();
      const file = await referenceOf(image);
      file.writeUInt8(file.readUInt8(position) ^ 1, position);
      await writeFile(`${path}.partial`, file);
      await expect(pullImage(image, path)).rejects.toThrow("were changed, expected them as they were written");
      expect((await readFile(`${path}.partial`)).equals(file)).toBe(true);
      expect(await readdir(join(path, ".."))).toEqual(["out.tar.partial"]);
    },
  );

  test("can be run again in the same process when a sync failed after the archive had its name", async () => {
    const path = await outputPath();
    const { operations } = await recorded(image);
    const last = operations.findLastIndex(({ kind }) => kind === "sync-folder");
    const { error } = await withFault(async () => await pullImage(image, path, { concurrency: 1 }), "EIO", last);
    expect(error).toMatchObject({ exitCode: 9 });
    expect(await pullImage(image, path)).toBe(0);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });
});

async function recorded(of: typeof image): Promise<OperationLog> {
  const log = new OperationLog();
  const path = await outputPath();
  await log.record(async () => await pullImage(of, path, { concurrency: 1 }));
  return log;
}
