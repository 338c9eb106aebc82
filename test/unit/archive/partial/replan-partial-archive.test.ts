import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ArchivePlan } from "../../../../src/archive/partial/archive-plan.ts";
import { hash } from "../../../../src/archive/partial/open-journal.ts";
import { openPartialArchive } from "../../../../src/archive/partial/open-partial-archive.ts";
import { replanPartialArchive } from "../../../../src/archive/partial/replan-partial-archive.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { seededBytes, temporaryFolder } from "../../../support/images.ts";
import { sha256Of } from "../../../support/memory-blobs.ts";

const KIB = 1024;
/** More than what is moved at once. */
const blobs = ["a", "b", "c", "d"].map(seed => seededBytes(seed, 1700 * KIB));
const digests = blobs.map(bytes => sha256Of(bytes));

/** @param offsets in KiB, by blob; null for a blob that is not there. */
function planOf(offsets: readonly (number | null)[], names: readonly Digest[]): ArchivePlan {
  const placed = offsets.flatMap((offset, index) => {
    const digest = names[index];
    return offset === null || digest === undefined ? [] : [{ digest, size: 1700 * KIB, offset: offset * KIB }];
  });
  const end = Math.max(...offsets.map(offset => offset ?? 0)) * KIB + 1700 * KIB;
  return { id: hash(JSON.stringify(placed)), totalBytes: end, firstBlock: Buffer.alloc(512, "h"), blobs: placed };
}

test.each([
  ["down", [1, 2000, 4000, 6000], [1, 1750, 3500, 5250]],
  ["up", [1, 1750, 3500, 5250], [1, 2000, 4000, 6000]],
  ["both ways, and one stays", [1000, 2750, 5000, 7000], [900, 2750, 5200, 6950]],
  ["one is left out", [1, 2000, 4000, 6000], [1, null, 1800, 3600]],
] as const)("bytes move with their blobs: %s", async (_what, before, after) => {
  const placeholders = digests.map(digest => sha256Of(Buffer.from(`placeholder ${digest}`)));
  const path = join(await temporaryFolder(), "out.tar");
  const resume = { command: "pull" };
  const first = planOf(before, placeholders);
  const archive = await openPartialArchive(path, first, resume);
  for (const [index, { offset }] of first.blobs.entries()) {
    await archive.write(blobs[index] ?? Buffer.alloc(0), offset);
    await archive.wrote(index, 0, 1700 * KIB);
  }
  const second = planOf(after, digests);
  const former = new Map(digests.map((digest, index) => [digest, placeholders[index] ?? digest]));
  const stayed = await replanPartialArchive(archive, second, former);
  const same = after.flatMap((offset, index) => (offset === before[index] ? [digests[index]] : []));
  expect([...stayed]).toEqual(same);
  await archive[Symbol.asyncDispose]();
  const again = await openPartialArchive(path, second, resume);
  expect(second.blobs.map((_, index) => again.kept(index))).toEqual(second.blobs.map(() => 1700 * KIB));
  await again.publish();
  await again[Symbol.asyncDispose]();
  const bytes = await readFile(path);
  expect(bytes.length).toBe(second.totalBytes);
  for (const { digest, offset, size } of second.blobs)
    expect(sha256Of(bytes.subarray(offset, offset + size))).toBe(digest);
});
