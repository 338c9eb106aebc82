import { appendFile, copyFile, open, readdir, readFile, truncate, unlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openArchive } from "../../../../src/archive/open-archive.ts";
import { decodeRecords, encodeRecord, type JournalRecord } from "../../../../src/archive/partial/journal-record.ts";
import { decodeMarker, encodeMarker } from "../../../../src/archive/partial/partial-marker.ts";
import { pullImage, referenceOf, type TestImage, testImage } from "../../../crash/pulling.ts";
import { COMMAND, leave } from "../../../crash/unfinished.ts";
import { temporaryFolder } from "../../../support/images.ts";

const MIB = 1024 * 1024;
const layers = [
  ["big", 2.5 * MIB],
  ["medium", 1.25 * MIB],
  ["small", 3000],
] as const;
const image = testImage(layers);
const OTHER = "pull other:1";
let reference: Buffer;
beforeAll(async () => {
  reference = await referenceOf(image);
});

async function outputPath(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

/** Runs the same command to its end. @returns bytes fetched */
async function finish(path: string, of: TestImage = image, expected: Buffer = reference): Promise<number> {
  const fetched = await pullImage(of, path);
  expect((await readFile(path)).equals(expected)).toBe(true);
  expect(await readdir(join(path, ".."))).toEqual([basename(path)]);
  return fetched;
}

async function recordsOf(path: string): Promise<readonly JournalRecord[]> {
  return [...decodeRecords(await readFile(`${path}.partial.journal`))];
}

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
  await file.close();
}

/** Where the largest blob is in the file. */
async function bigAt(path: string): Promise<number> {
  const blob = (await recordsOf(path)).find(record => record.type === "blob" && record.size === 2.5 * MIB);
  return blob?.type === "blob" ? blob.offset : Number.NaN;
}

describe("openPartialArchive()", () => {
  test("resumes an interrupted run of the same command, and reports it", async () => {
    const path = await outputPath();
    await leave(image, path, { bytes: 2 * MIB });
    const notes: string[] = [];
    expect(await pullImage(image, path, { notes })).toBe(image.bytes - 2 * MIB);
    expect(notes).toEqual([expect.stringMatching(/^Resuming ".*out\.tar\.partial": 2\.00? MiB of 3\.8 MiB kept$/)]);
    expect((await readFile(path)).equals(reference)).toBe(true);
  });

  test("leaves a partial file that no reader accepts as an archive, whatever its name", async () => {
    const path = await outputPath();
    await leave(image, path);
    await copyFile(`${path}.partial`, `${path}.renamed.tar`);
    await expect(openArchive(`${path}.renamed.tar`)).rejects.toMatchObject({ exitCode: 3 });
  });

  test.each([[COMMAND], [OTHER]])("starts over with --restart, after any command: %s", async command => {
    const path = await outputPath();
    await leave(image, path, { command });
    expect(await pullImage(image, path, { restart: true })).toBe(image.bytes);
    expect((await readFile(path)).equals(reference)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });

  test("keeps blobs with the same offset after the tag moved, and fetches only the others", async () => {
    // Sorted by digest, the blob that changes comes last, so the others stay where they are.
    const digests = [...image.blobs.keys()].slice(0, 3).toSorted();
    const changed = layers.findIndex((_, index) => [...image.blobs.keys()][index] === digests.at(-1));
    let moved: TestImage | undefined;
    for (let seed = 0; moved === undefined; seed += 1) {
      const other = testImage(
        layers.map(([name, size], index) => [index === changed ? `${seed}` : name, size] as const),
      );
      if (([...other.blobs.keys()][changed] ?? "") > (digests[1] ?? "")) moved = other;
    }
    const path = await outputPath();
    await leave(image, path);
    const expected = await referenceOf(moved);
    const notes: string[] = [];
    const fetched = await pullImage(moved, path, { notes });
    const same = layers.reduce((sum, [, size], index) => (index === changed || size < MIB ? sum : sum + size), 0);
    expect(moved.bytes - fetched).toBeGreaterThanOrEqual(same);
    expect(fetched).toBeGreaterThanOrEqual(layers[changed]?.[1] ?? 0);
    expect(notes[0]).toMatch(/^Resuming .* after the images changed: .* kept$/);
    expect((await readFile(path)).equals(expected)).toBe(true);
  });

  test("starts over if the partial file is gone, or is not the one of the journal", async () => {
    const path = await outputPath();
    await leave(image, path);
    const [partial, journal] = [await readFile(`${path}.partial`), await readFile(`${path}.partial.journal`)];
    await unlink(`${path}.partial`);
    expect(await finish(path)).toBe(image.bytes);
    const marker = decodeMarker(partial.subarray(0, 512));
    partial.set(encodeMarker({ command: marker?.command ?? "", nonce: "f".repeat(16) }));
    await writeFile(`${path}.partial`, partial);
    await writeFile(`${path}.partial.journal`, journal);
    expect(await finish(path)).toBe(image.bytes);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ["cut in the middle of what was kept", async path => await truncate(path, MIB)],
    ["cut to nothing behind its first block", async path => await truncate(path, 512)],
    ["longer than it was", async path => await appendFile(path, Buffer.alloc(10_000, "more"))],
  ])("gives the right file when the partial file is %s", async (_name, change) => {
    const path = await outputPath();
    await leave(image, path);
    await change(`${path}.partial`);
    expect(await finish(path)).toBeLessThanOrEqual(2 * image.bytes);
  });

  test("fetches a blob again if a byte of it changed in the partial file", async () => {
    for (const bytes of [undefined, 2 * MIB]) {
      const path = await outputPath();
      await leave(image, path, bytes === undefined ? {} : { bytes });
      await flip(`${path}.partial`, (await bigAt(path)) + MIB + 7);
      expect(await finish(path)).toBeGreaterThanOrEqual(2.5 * MIB);
    }
  });

  test("does not trust a journal that says that all blobs are complete", async () => {
    const path = await outputPath();
    await leave(image, path, { bytes: 2 * MIB });
    const records = await recordsOf(path);
    const claim = records.find(record => record.type === "claim")?.id ?? "";
    const lies = records.flatMap((record): JournalRecord[] => {
      if (record.type !== "blob") return [];
      const { nonce, index, size } = record;
      return [{ type: "progress", nonce, index, bytes: size, isDurable: true, claim }];
    });
    await appendFile(`${path}.partial.journal`, Buffer.concat(lies.map(encodeRecord)));
    await finish(path);
  });

  test("does not trust a journal with impossible numbers", async () => {
    const path = await outputPath();
    await leave(image, path, { bytes: 2 * MIB });
    const records = await recordsOf(path);
    const lies = records.flatMap((record): JournalRecord[] => {
      if (record.type !== "blob") return [];
      const { nonce, index } = record;
      const progress = { type: "progress", nonce, isDurable: true, claim: "0".repeat(16) } as const;
      return [
        { ...record, size: 2 ** 60 },
        { ...progress, index, bytes: 2 ** 60 },
        { ...progress, index: 2 ** 32 - 1, bytes: 2 ** 63 },
      ];
    });
    await appendFile(`${path}.partial.journal`, Buffer.concat(lies.map(encodeRecord)));
    await finish(path);
  });

  test("starts over with a journal that is cut, or full of zeros", async () => {
    const path = await outputPath();
    await leave(image, path);
    const [partial, journal] = [await readFile(`${path}.partial`), await readFile(`${path}.partial.journal`)];
    for (const cut of [0, 1, 63, 64, 100, 320, journal.length - 1]) {
      await writeFile(`${path}.partial`, partial);
      await writeFile(`${path}.partial.journal`, journal.subarray(0, cut));
      await finish(path);
    }
    await writeFile(`${path}.partial`, partial);
    await writeFile(`${path}.partial.journal`, Buffer.alloc(4096));
    expect(await finish(path)).toBe(image.bytes);
  });

  test("keeps nothing of a run that cannot be resumed, and replaces what such a run left when it was killed", async () => {
    const path = await outputPath();
    await leave(image, path, { command: undefined });
    expect(await readdir(join(path, ".."))).toEqual([]);
    const killed = Buffer.concat([
      encodeMarker({ nonce: "1".repeat(16), command: "0".repeat(32) }),
      Buffer.alloc(9000, 1),
    ]);
    await writeFile(`${path}.partial`, killed);
    expect(await finish(path)).toBe(image.bytes);
  });

  test("keeps nothing of less than 1 MiB", async () => {
    const path = await outputPath();
    await leave(image, path, { bytes: MIB - 1 });
    expect(await readdir(join(path, ".."))).toEqual([]);
    await leave(image, path, { bytes: MIB });
    expect(await readdir(join(path, ".."))).toEqual(["out.tar.partial", "out.tar.partial.journal"]);
  });
});
