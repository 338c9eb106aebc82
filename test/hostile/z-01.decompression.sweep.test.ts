import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { gunzip } from "../../src/compress/gzip/gunzip.ts";
import { ArchiveError } from "../../src/errors.ts";
import { collect } from "../support/memory-blobs.ts";
import { sha256 } from "../support/memory-registry.ts";
import { archiveOf, imageWith } from "./t-image.ts";

test("Z-02 / T-25 a gzip archive cut at every 7th byte is refused, at the same byte for every part size", async () => {
  const verdicts = async (bytes: Uint8Array, step: number): Promise<string> => {
    const parts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) =>
      bytes.subarray(at * step, (at + 1) * step),
    );
    try {
      return sha256(await collect(gunzip(Readable.from(parts), "x")));
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      return error.reason;
    }
  };
  const gzip = gzipSync(archiveOf(imageWith()));
  for (let size = 0; size < gzip.length; size += 7) {
    const cut = gzip.subarray(0, size);
    const found = await Promise.all([1, 7, 65_536].map(step => verdicts(cut, step)));
    expect(new Set(found), `${size} bytes`).toEqual(new Set(["truncated-gzip"]));
  }
});
