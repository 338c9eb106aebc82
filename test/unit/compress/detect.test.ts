import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { detectCompression, MAGIC_BYTES } from "../../../src/compress/detect.ts";

const cases: readonly (readonly [string, readonly number[], string | undefined])[] = [
  ["gzip", [0x1f, 0x8b, 8, 0, 0, 0], "gzip"],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd, 0, 0], "zstd"],
  ["a skippable zstd frame", [0x50, 0x2a, 0x4d, 0x18, 4, 0], "zstd"],
  ["the last kind of skippable frame", [0x5f, 0x2a, 0x4d, 0x18, 4, 0], "zstd"],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz"],
  ["bzip2", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41], "bzip2"],
  ["compress, which is no gzip", [0x1f, 0x9d, 0x90, 0, 0, 0], undefined],
  ["gzip with another method than deflate", [0x1f, 0x8b, 7, 0, 0, 0], undefined],
  ["gzip cut within its magic", [0x1f, 0x8b], undefined],
  ["a tar that begins with a name", [...Buffer.from("layer.")], undefined],
  ["zeros", [0, 0, 0, 0, 0, 0], undefined],
  ["nothing", [], undefined],
];

test.each(cases)("detectCompression() tells %s by its first bytes", (_what, start, found) => {
  expect(start.length).toBeLessThanOrEqual(MAGIC_BYTES);
  expect(detectCompression(new Uint8Array(start))).toBe(found);
});

test("detectCompression() needs no more than the bytes it asks for", () => {
  expect(detectCompression(gzipSync("x").subarray(0, MAGIC_BYTES))).toBe("gzip");
});
