import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unxz } from "../../../../src/compress/xz/unxz.ts";
import { collect } from "../../../support/memory-blobs.ts";
import { vector } from "../decompress-vectors.ts";

const { content, file } = vector("xz of short");
const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);
const inflate = async (bytes: Uint8Array): Promise<Uint8Array> =>
  await collect(unxz(Readable.from([bytes]), "layer x"));

/** The file with bytes changed, and the checksum of that section, which ends at `end`, made right again. */
function altered(start: number, end: number, changes: Readonly<Record<number, number>>): Buffer {
  const bytes = Buffer.from(file);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  bytes.writeUInt32LE(crc32(bytes.subarray(start, end)), end);
  return bytes;
}

// Where things stand: header to 12, block header to 24 (checksum from 20), footer from -12, index before it.
const index = file.length - 12 - 8;

describe("unxz()", () => {
  test("takes the file that the altered ones are made of", async () => {
    expect(content.equals(await inflate(altered(12, 20, {})))).toBe(true);
    expect(content.equals(await inflate(altered(6, 8, {})))).toBe(true);
  });

  test("takes a dictionary of 128 MiB and refuses a larger one before it takes the memory", async () => {
    expect(file[16]).toBe(22);
    expect(content.equals(await inflate(altered(12, 20, { 16: 30 })))).toBe(true);
    for (const property of [31, 32, 40]) {
      const failed = inflate(altered(12, 20, { 16: property }));
      await expect(failed).rejects.toMatchObject({ reason: "xz-dictionary", exitCode: 3 });
    }
    await expect(inflate(altered(12, 20, { 16: 31 }))).rejects.toThrow(
      "Cannot read layer x: an xz dictionary of 201326592 bytes, expected at most 134217728",
    );
  });

  test("refuses filters besides LZMA2", async () => {
    // The first of two, and another one alone: the x86 filter has number 4.
    await expect(inflate(altered(12, 20, { 13: 1 }))).rejects.toMatchObject({ reason: "xz-filter" });
    await expect(inflate(altered(12, 20, { 14: 4 }))).rejects.toMatchObject({ reason: "xz-filter" });
  });

  test("refuses a check that it cannot compute", async () => {
    await expect(inflate(altered(6, 8, { 7: 2 }))).rejects.toMatchObject({
      reason: "xz-check",
      message: "Cannot read layer x: an xz check of kind 2, expected none, CRC32, CRC64 or SHA-256",
    });
  });

  const damaged: readonly (readonly [string, Buffer, string])[] = [
    ["reserved flags of a stream", altered(6, 8, { 6: 1 }), "unknown flags in a stream header"],
    ["reserved flags of a block", altered(12, 20, { 13: 0x04 }), "unknown flags in a block header"],
    ["an impossible dictionary", altered(12, 20, { 16: 41 }), "impossible block header"],
    ["padding of a header that is not zero", altered(12, 20, { 18: 1 }), "impossible block header"],
    ["a first chunk that builds on one before", altered(12, 20, { 24: 0x80 }), "impossible chunk"],
    ["an index with another number of blocks", altered(index, index + 4, { [index + 1]: 2 }), "an index that"],
    ["an index with another length", altered(index, index + 4, { [index + 3]: 83 }), "an index that"],
  ];
  test.each(damaged)("refuses %s although its checksum is right", async (_what, bytes, why) => {
    await expect(inflate(bytes)).rejects.toMatchObject({
      reason: "damaged-xz",
      cause: expect.objectContaining({ message: expect.stringContaining(why) }),
    });
  });

  test("refuses a footer that belongs to another stream", async () => {
    const other = vector("xz --check=crc32 of short").file;
    await expect(inflate(join(file.subarray(0, -12), other.subarray(-12)))).rejects.toMatchObject({
      reason: "damaged-xz",
      cause: expect.objectContaining({ message: "a footer that does not match its stream" }),
    });
  });

  test("reads streams with different checks one after the other", async () => {
    const files = ["xz", "xz --check=none", "xz --check=sha256", "xz --check=crc32"].map(
      command => vector(`${command} of short`).file,
    );
    expect(await inflate(join(...files))).toHaveLength(content.length * 4);
  });
});
