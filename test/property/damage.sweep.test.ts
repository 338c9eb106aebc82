// Damage at random: it is always located, and repaired to identical bytes.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { convert, type VerifyResult, verify } from "../../src/index.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { scratchFolder } from "../crash/pulling.ts";
import { patchOf } from "../support/bundle-files.ts";
import { archiveBytes } from "../support/memory-archive.ts";
import { noise } from "../support/memory-blobs.ts";
import { type MemorySource, memorySource, settledRoot } from "../support/memory-image.ts";

const TRIALS = 1000;
const BLOCK = 512;
const folder = await scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

/** Numbers from 0 to `below - 1`, the same in each run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function image(source: MemorySource, sizes: readonly number[], seed: number): Descriptor {
  const layers = sizes.map((size, index) => source.add(OCI_LAYER, noise(size, seed + index)));
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  const config = source.add(OCI_CONFIG, { os: "linux", architecture: "amd64", rootfs, seed });
  return source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
}

/** Changes at least one byte. @returns the bytes, and where they differ first and last. */
function damage(intact: Buffer, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(intact);
  for (;;) {
    const kind = random(8);
    const at = random(bytes.length);
    if (kind === 0) return bytes.subarray(0, at);
    if (kind < 4) bytes.fill(0, at - (at % BLOCK), at - (at % BLOCK) + BLOCK);
    else bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    if (!bytes.equals(intact)) return bytes;
  }
}

/** Whether each byte that is wrong is in a range that a fault names. */
function isLocated(intact: Buffer, damaged: Buffer, { faults }: VerifyResult): boolean {
  const ranges = faults.flatMap(fault => fault.ranges ?? []);
  const isNamed = (at: number): boolean => ranges.some(({ fileFrom, fileTo }) => fileFrom <= at && at < fileTo);
  for (let at = 0; at < intact.length; at += 1) if (intact[at] !== damaged[at] && !isNamed(at)) return false;
  return true;
}

/** What `pull -f need.json` brings of the damaged archive. */
async function patchFor({ needs = [] }: VerifyResult, source: MemorySource, name: string): Promise<readonly string[]> {
  const [need] = needs;
  if (need === undefined) return [];
  const whole: (readonly [Descriptor["digest"], Uint8Array])[] = [];
  const pieces: (readonly [Descriptor["digest"], number, Uint8Array])[] = [];
  for (const { digest, size, ranges } of need.blobs) {
    const bytes = await (await source.blob({ mediaType: "", digest, size })).whole?.();
    if (bytes === undefined) throw new Error(`no bytes of ${digest}`);
    if (ranges === undefined) whole.push([digest, bytes]);
    for (const [from, to] of ranges ?? []) pieces.push([digest, from, bytes.subarray(from, to)]);
  }
  writeFileSync(path(name), patchOf(need.of, whole, pieces));
  return [path(name)];
}

/** What convert writes. A stream: a file would cost more than all the rest. */
async function fixed(paths: readonly string[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, onDone) {
      parts.push(Buffer.from(chunk));
      onDone();
    },
  });
  await convert(paths, { output });
  return Buffer.concat(parts);
}

async function trial(intact: Buffer, source: MemorySource, damaged: Buffer): Promise<string> {
  writeFileSync(path("damaged.tar"), damaged);
  const found = await verify(path("damaged.tar"));
  if (!isLocated(intact, damaged, found)) return "not located";
  const patch = await patchFor(found, source, "patch.tar");
  return (await fixed([path("damaged.tar"), ...patch])).equals(intact) ? "same" : "other bytes";
}

const small = memorySource();
const roots = [
  settledRoot(image(small, [700, 3000, 0], 1), "r.lan/one:1"),
  settledRoot(image(small, [5000, 700], 1), "r.lan/two:1"),
  settledRoot(image(small, [1], 9), "r.lan/three:1"),
];

test(`${TRIALS} times, damage is located and repaired to identical bytes`, async () => {
  const intact = await archiveBytes(small, roots);
  const lockEnd = intact.indexOf(0, intact.indexOf('{"format":"imgpack-lock"'));
  const random = randomFrom(20_261_129);
  const failures: string[] = [];
  for (let count = 0; count < TRIALS; count += 1) {
    const damaged = damage(intact, random);
    const result = await trial(intact, small, damaged).catch((error: unknown) => `${error}`);
    // Without its lock, no one knows what the archive was.
    const isHopeless = damaged.length < lockEnd && /^ArchiveError: /.test(result);
    if (result !== "same" && !isHopeless) failures.push(`trial ${count}, ${damaged.length} bytes: ${result}`);
  }
  expect(failures).toEqual([]);
});

test("damage in several places of an archive with large layers is repaired from the pieces that it is in, or refused", async () => {
  const source = memorySource();
  const large = [settledRoot(image(source, [9_000_000, 4_194_305, 100], 1), "r.lan/large:1")];
  const intact = await archiveBytes(source, large);
  const random = randomFrom(16);
  let fetched = 0;
  for (let count = 0; count < 10; count += 1) {
    const damaged = Buffer.from(intact);
    for (const _ of Array.from({ length: 1 + random(3) })) {
      const at = random(damaged.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << random(8));
    }
    writeFileSync(path("damaged.tar"), damaged);
    const found = await verify(path("damaged.tar"));
    expect(isLocated(intact, damaged, found)).toBe(true);
    for (const { size, ranges } of found.needs?.[0]?.blobs ?? []) {
      fetched += ranges === undefined ? size : ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    }
    const patch = await patchFor(found, source, "patch.tar");
    expect((await fixed([path("damaged.tar"), ...patch])).equals(intact)).toBe(true);
  }
  expect(fetched).toBeLessThan((10 * intact.length) / 2);
});
