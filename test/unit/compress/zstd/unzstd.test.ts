import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { unzstd } from "../../../../src/compress/zstd/unzstd.ts";
import { collect } from "../../../support/memory-blobs.ts";
import { vector } from "../decompress-vectors.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const { content, file } = vector("zstd -19 of short");
const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

const inflate = async (bytes: Uint8Array, partBytes = 7): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.slice(at, at + partBytes));
  return await collect(unzstd(Readable.from(parts), "layer x"));
};

function block(isLast: boolean, kind: number, size: number, ...bytes: readonly number[]): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(size * 8 + kind * 2 + (isLast ? 1 : 0), 0, 3);
  return join(header, Buffer.from(bytes));
}

/** @param window descriptor; 0x58 stands for 2 MiB. */
const frame = (window: number, ...blocks: readonly Uint8Array[]): Buffer =>
  join(Buffer.from([...MAGIC, 0x00, window]), ...blocks);

function skipped(bytes: number, kind = 0): Buffer {
  const header = Buffer.from([0x50 + kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  header.writeUInt32LE(bytes, 4);
  return join(header, new Uint8Array(bytes).fill(0xee));
}

describe("unzstd()", () => {
  test("reads raw and repeated blocks, an empty one among them", async () => {
    const bytes = frame(0x58, block(false, 0, 2, 65, 66), block(false, 0, 0), block(true, 1, 5, 67));
    expect(Buffer.from(await inflate(bytes)).toString()).toBe("ABCCCCC");
  });

  test("passes over frames to be skipped, before, between and behind others", async () => {
    const bytes = join(skipped(5), file, skipped(0, 15), skipped(300, 7), file, skipped(1));
    expect(join(content, content).equals(await inflate(bytes))).toBe(true);
    expect(await inflate(skipped(9))).toHaveLength(0);
  });

  test("refuses a frame to be skipped that is cut off", async () => {
    for (const length of [1, 3, 6, 8, 300]) {
      const failed = inflate(join(file, skipped(300).subarray(0, length)));
      await expect(failed).rejects.toMatchObject({ reason: "truncated-zstd" });
    }
  });

  test("counts frames to be skipped as input in the ratio", async () => {
    const zeros = vector("zstd of zeros").file;
    const many = join(...Array.from({ length: 20 }, () => zeros));
    await expect(inflate(many)).rejects.toMatchObject({ reason: "inflation-ratio" });
    expect(await inflate(join(skipped(20_000), many))).toHaveLength(20_000_000);
  });

  // Z-05
  test("takes a window of 128 MiB and refuses a larger one", async () => {
    const last = block(true, 1, 1, 65);
    expect(await inflate(frame(0x88, last))).toHaveLength(1);
    for (const window of [0x89, 0x90, 0xa8, 0xff]) {
      await expect(inflate(frame(window, last))).rejects.toMatchObject({ reason: "zstd-window" });
    }
  });

  test("refuses a frame without window whose content is larger than one may be", async () => {
    const header = Buffer.from([...MAGIC, 0xa0, 1, 0, 0, 8]);
    const failed = inflate(join(header, block(true, 1, 1, 65)));
    await expect(failed).rejects.toMatchObject({
      reason: "zstd-window",
      message: "Cannot read layer x: a zstd window of 134217729 bytes, expected at most 134217728",
    });
  });

  test("refuses a frame that needs a dictionary, but not the dictionary number 0", async () => {
    const last = block(true, 1, 1, 65);
    expect(await inflate(join(Buffer.from([...MAGIC, 0x01, 0x58, 0]), last))).toHaveLength(1);
    const failed = inflate(join(Buffer.from([...MAGIC, 0x02, 0x58, 0, 7]), last));
    await expect(failed).rejects.toMatchObject({ reason: "zstd-dictionary" });
  });

  const big = block(true, 1, 128 * 1024 + 1, 65);
  const damaged: readonly (readonly [string, Uint8Array])[] = [
    ["a reserved bit in the header", join(Buffer.from([...MAGIC, 0x08, 0x58]), block(true, 1, 1, 65))],
    ["a reserved kind of block", frame(0x58, block(true, 3, 1, 65))],
    ["a block longer than 128 KiB", frame(0x58, big)],
    ["a block longer than the window", frame(0x00, block(true, 1, 1025, 65))],
    ["a frame longer than its header says", join(Buffer.from([...MAGIC, 0x20, 3]), block(true, 0, 4, 1, 2, 3, 4))],
    ["a frame shorter than its header says", join(Buffer.from([...MAGIC, 0x20, 5]), block(true, 0, 4, 1, 2, 3, 4))],
    ["an empty compressed block", frame(0x58, block(true, 2, 0))],
    ["literals without a tree before", frame(0x58, block(true, 2, 6, 0x13, 0x40, 0, 1, 1, 0))],
    // One literal, one sequence: no literals, the code for an offset of 1 beyond it, and a match of 3.
    ["a match before the start", frame(0x58, block(true, 2, 8, 0x08, 65, 1, 0x54, 0, 3, 0, 0x09))],
  ];
  test.each(damaged)("refuses %s", async (_what, bytes) => {
    await expect(inflate(bytes)).rejects.toMatchObject({ reason: "damaged-zstd" });
  });

  test("says why data counts as damaged", async () => {
    const altered = Buffer.from(file);
    altered[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
    await expect(inflate(altered)).rejects.toMatchObject({ cause: expect.objectContaining({ name: "Error" }) });
  });

  test("takes no longer for tiny blocks in a large window", async () => {
    const tiny = block(false, 0, 1, 65);
    const bytes = frame(0x88, ...Array.from({ length: 20_000 }, () => tiny), block(true, 0, 0));
    expect(await inflate(bytes, 65_536)).toHaveLength(20_000);
  });
});
