import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { decompress } from "../../../src/compress/decompress.ts";
import type { Compression } from "../../../src/compress/detect.ts";
import { ArchiveError } from "../../../src/errors.ts";
import { collect } from "../../support/memory-blobs.ts";
import { VECTORS, vector } from "./decompress-vectors.ts";

const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

function streamOf(bytes: Uint8Array, partBytes: number): Readable {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.slice(at, at + partBytes));
  return Readable.from(parts);
}

const inflate = async (compression: Compression, bytes: Uint8Array, partBytes: number): Promise<Uint8Array> =>
  await collect(decompress(streamOf(bytes, partBytes), compression, "layer x", undefined, Infinity));

const short = {
  zstd: vector("zstd -19 of short"),
  xz: vector("xz of short"),
  bzip2: vector("bzip2 of short"),
} as const;
const own = ["zstd", "xz", "bzip2"] as const;
/** Cuts fed byte by byte take most of the time: every fifth of them, all with IMGPACK_THOROUGH=1. */
const STRIDE = process.env["IMGPACK_THOROUGH"] === "1" ? 1 : 5;
const units = { zstd: "frame", xz: "stream", bzip2: "stream" } as const;

// The verdict must not depend on how the bytes come (security case Z-02).
describe.each(own)("decompress() of %s", compression => {
  const { file } = short[compression];

  test("refuses a file that is cut off, wherever that is", async () => {
    const whole = join(file, file);
    for (let length = 0; length < whole.length; length += 1) {
      if (length === file.length) continue;
      for (const partBytes of length % STRIDE === 0 ? [1, 7, 65_536] : [7, 65_536]) {
        const failed = inflate(compression, whole.subarray(0, length), partBytes);
        await expect(failed).rejects.toMatchObject({
          reason: `truncated-${compression}`,
          message: `Cannot read layer x: ${compression} data ends at byte ${length} in the middle of a ${units[compression]}, expected its end`,
        });
      }
    }
  });
});

// Z-07: what a checksum covers is not lost unseen.
describe.each(
  VECTORS.filter(
    ({ command }) => / of short$|^zstd.* of noises$/.test(command) && !/check=none|no-check/.test(command),
  ),
)("decompress() of what $command makes", ({ compression, content, file }) => {
  test("never gives out other bytes as whole when one bit is flipped", async () => {
    let refused = 0;
    for (let bit = 0; bit < file.length * 8; bit += 1) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        expect(content.equals(await inflate(compression, flipped, 65_536))).toBe(true);
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        refused += 1;
      }
    }
    // A window's size and bits without meaning may change without harm.
    expect(refused).toBeGreaterThan(file.length * 8 * 0.85);
  });
});
