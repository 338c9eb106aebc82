import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readBlob } from "../../../src/content/pump.ts";
import { inflatedBlob } from "../../../src/transform/inflated-blob.ts";
import { noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";

const bytes = noise(200_000);
const file = gzipSync(bytes);

describe("inflatedBlob()", () => {
  test.each(["gzip", "detect"] as const)("reports the compressed bytes that it reads (%s)", async compression => {
    let read = 0;
    const onBytes = (count: number): void => {
      read += count;
    };
    const blob = inflatedBlob(partsBlob(file, 1000), { compression, what: "x", onBytes });
    expect(sha256Of(await readBlob(blob, bytes.length))).toBe(sha256Of(bytes));
    expect(read).toBe(file.length);
  });

  test.each([0, 1, 5, 6, 200_000])("passes %i bytes as they are where it detects no compression", async size => {
    const blob = inflatedBlob(partsBlob(bytes.subarray(0, size), 2), { compression: "detect", what: "x" });
    expect(Buffer.compare(await readBlob(blob, size), bytes.subarray(0, size))).toBe(0);
  });

  test("refuses what inflates to more than it is told", async () => {
    const zeros = gzipSync(Buffer.alloc(32 * 1024 * 1024), { level: 9 });
    const blob = inflatedBlob(partsBlob(zeros, 4096), { compression: "gzip", what: "x", ratioLimit: 1000 });
    await expect(readBlob(blob, 2 ** 30)).rejects.toMatchObject({ reason: "inflation-ratio" });
  });

  test("throws what broke its source", async () => {
    const broken = partsBlob(file, 512, { breaksWith: new Error("disk unplugged") });
    await expect(readBlob(inflatedBlob(broken, { compression: "gzip", what: "x" }), 2 ** 30)).rejects.toThrow(
      "disk unplugged",
    );
  });
});
