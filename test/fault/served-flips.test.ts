// Flips any byte of any blob: what is delivered whole is right, and with sums no wrong byte goes out at all.
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ByteRange } from "../../src/content/contracts.ts";
import { ArchiveError, IntegrityError } from "../../src/errors.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { ArchiveRegistry } from "../../src/serve/archives/archive-registry.ts";
import { CheckedBlobs } from "../../src/serve/content/checked-blobs.ts";
import type { CheckedSource } from "../../src/serve/content/checked-source.ts";
import { seededBytes, temporaryFolder } from "../support/images.ts";
import { layoutArchive } from "../support/layout-archives.ts";
import { sha256 } from "../support/memory-registry.ts";

const SIZES = { pieceBytes: 1024, chunkBytes: 128, stepBytes: 512 };
const TRIALS = process.env["IMGPACK_THOROUGH"] === "1" ? 10_000 : 150;

/** A small generator of numbers from 0 to `below - 1`: each trial is the same in each run. */
function randomOf(seed: number): (below: number) => number {
  let state = (seed + 1) * 0x9e3779b1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function flip(bytes: Uint8Array, random: (below: number) => number): number {
  const at = random(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
  return at;
}

interface Delivery {
  /** Bytes that went out differ from those of the blob. */
  readonly isWrong: boolean;
  /** It went to its end. */
  readonly isWhole: boolean;
}

async function deliver(
  chunks: AsyncGenerator<Uint8Array, void>,
  right: Uint8Array,
  { start, end }: ByteRange,
): Promise<Delivery> {
  let position = start;
  let isWrong = false;
  try {
    for await (const chunk of chunks) {
      isWrong ||= !Buffer.from(chunk).equals(right.subarray(position, position + chunk.length));
      position += chunk.length;
    }
  } catch {
    return { isWrong, isWhole: false };
  }
  return { isWrong: isWrong || position !== end, isWhole: true };
}

function rangeOf(size: number, random: (below: number) => number): ByteRange {
  if (random(2) === 0) return { start: 0, end: size };
  const start = random(size);
  return { start, end: start + 1 + random(size - start) };
}

test.each([
  ["without sums", undefined],
  ["with sums", SIZES.pieceBytes],
])(
  "an archive %s: a flipped byte never goes out in an answer that is whole",
  async (_, pieceBytes) => {
    const path = join(await temporaryFolder(), "site.tar");
    const names = ["docker.io/library/app:1"];
    const image = layoutArchive(
      [{ names, layers: [5000, 200, 3000].map(size => seededBytes(`${size}`, size)) }],
      pieceBytes,
    );
    writeFileSync(path, image.bytes);
    const blobs = [...image.blobs];
    const found = { damaged: 0, whole: 0 };
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const random = randomOf(trial);
      const [flipped, right] = blobs[random(blobs.length)] ?? ["sha256:", new Uint8Array()];
      const at = random(right.length);
      const offset = (image.offsets.get(flipped as Digest) ?? 0) + at;
      put(path, offset, (right[at] ?? 0) ^ (1 << random(8)));
      try {
        await using registry = await ArchiveRegistry.open([path], { onDamage: () => undefined, sizes: SIZES });
        const repository = await registry.repository("app");
        for (const [digest, bytes] of blobs) {
          const known = repository?.blob(digest);
          if (known === undefined) {
            const manifest = await registry.readManifest({ digest, size: bytes.length });
            if (manifest !== undefined) expect(sha256(manifest)).toBe(digest);
            continue;
          }
          for (let reading = 0; reading < 2; reading += 1) {
            const blob = await registry.openBlob(known);
            if (blob === undefined) continue;
            const range = rangeOf(bytes.length, random);
            const delivery = await deliver(blob.chunks(range), bytes, range);
            await blob.close();
            if (pieceBytes !== undefined || delivery.isWhole) expect(delivery.isWrong, `trial ${trial}`).toBe(false);
            if (digest !== flipped) expect(delivery.isWhole, `trial ${trial}`).toBe(true);
            else expect(delivery.isWhole, `trial ${trial}`).toBe(false);
            found[delivery.isWhole ? "whole" : "damaged"] += 1;
          }
        }
      } catch (error) {
        // A manifest that cannot be read at all.
        if (!(error instanceof ArchiveError || error instanceof IntegrityError)) throw error;
      }
      put(path, offset, right[at] ?? 0);
    }
    expect(found.damaged).toBeGreaterThan(TRIALS / 10);
    expect(found.whole).toBeGreaterThan(TRIALS);
  },
  1_800_000,
);

function put(path: string, offset: number, byte: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([byte]), 0, 1, offset);
  closeSync(file);
}

interface Flipped {
  readonly source: CheckedSource;
  readonly bytes: Buffer;
}

/** A blob whose bytes can change at any time, without a sign. */
function changingSource(right: Uint8Array, withSums: boolean): Flipped {
  const bytes = Buffer.from(right);
  const source: CheckedSource = {
    digest: sha256(right),
    size: right.length,
    identity: "one",
    fill: async (into, position) => into.set(bytes.subarray(position, position + into.length)),
    confirm: async () => undefined,
    pieceHash: piece =>
      withSums
        ? sha256(right.subarray(piece * SIZES.pieceBytes, (piece + 1) * SIZES.pieceBytes)).slice("sha256:".length)
        : undefined,
    onDamage: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { source, bytes };
}

test("a byte that flips at any moment, while several read, never goes out in an answer that is whole", async () => {
  const right = seededBytes("blob", 4500);
  let wrong = 0;
  let cut = 0;
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const random = randomOf(trial);
    const withSums = random(2) === 0;
    const { source, bytes } = changingSource(right, withSums);
    const checked = new CheckedBlobs(SIZES);
    // The first reading may be over before the flip: then every later one is compared with it.
    if (random(3) === 0) {
      const whole = { start: 0, end: right.length };
      expect(await deliver(checked.open(source).chunks(whole), right, whole)).toEqual({
        isWrong: false,
        isWhole: true,
      });
    }
    const isConfirmed = checked.passedPieces > 0;
    let steps = random(60);
    const flipping: CheckedSource = {
      ...source,
      async fill(into, position) {
        if (steps === 0) flip(bytes, random);
        steps -= 1;
        await source.fill(into, position);
      },
    };
    const readings = Array.from({ length: 1 + random(3) }, async () => {
      const range = rangeOf(right.length, random);
      const delivery = await deliver(checked.open(flipping).chunks(range), right, range);
      const isStrict = withSums || isConfirmed || range.start > 0 || range.end < right.length;
      if (delivery.isWrong && (delivery.isWhole || isStrict)) wrong += 1;
      if (!delivery.isWhole) cut += 1;
    });
    await Promise.all(readings);
  }
  expect(wrong).toBe(0);
  expect(cut).toBeGreaterThan(TRIALS / 10);
}, 1_800_000);

test("sums that lie do not make wrong bytes look right, neither whole nor in part", async () => {
  const right = seededBytes("blob", 4500);
  const wrong = Buffer.from(right);
  wrong[2000] = (wrong[2000] ?? 0) ^ 1;
  // Sums of the wrong bytes, with the digest of the right ones.
  const { source } = changingSource(wrong, true);
  const lying = { ...source, digest: sha256(right) };
  for (const range of [
    { start: 0, end: right.length },
    { start: 1900, end: 2100 },
    { start: 0, end: 100 },
  ]) {
    const delivery = await deliver(new CheckedBlobs(SIZES).open(lying).chunks(range), right, range);
    expect(delivery.isWhole).toBe(false);
    if (range.start > 0) expect(delivery.isWrong).toBe(false);
  }
});
