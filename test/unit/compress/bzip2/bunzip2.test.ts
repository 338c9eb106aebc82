import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { bunzip2 } from "../../../../src/compress/bzip2/bunzip2.ts";
import { collect } from "../../../support/memory-blobs.ts";
import { vector } from "../decompress-vectors.ts";

const { file } = vector("bzip2 of short");
const inflate = async (bytes: Uint8Array): Promise<Uint8Array> =>
  await collect(bunzip2(Readable.from([bytes]), "layer x"));

function altered(changes: Readonly<Record<number, number>>): Buffer {
  const bytes = Buffer.from(file);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

describe("bunzip2()", () => {
  // An empty stream is its header, the end's mark and a checksum of nothing.
  const empty = Buffer.from("425a6839177245385090" + "00000000", "hex");

  test("reads an empty stream, alone and between others", async () => {
    expect(await inflate(empty)).toHaveLength(0);
    expect(await inflate(Buffer.concat([file, empty, file]))).toHaveLength(168);
  });

  const damaged: readonly (readonly [string, Buffer, string])[] = [
    ["blocks of no size", altered({ 3: 0x30 }), "unknown block size"],
    ["blocks of an unknown size", altered({ 3: 0x3a }), "unknown block size"],
    ["a block without its mark", altered({ 4: 0x32 }), "neither a block nor the end of a stream"],
    ["a randomised block", altered({ 14: 0x80 }), "a randomised block of bzip2 before 0.9.5"],
    ["an origin outside of the block", altered({ 14: 0x7f }), "impossible origin of a block"],
    ["another checksum of a block", altered({ 10: (file[10] ?? 0) ^ 1 }), "wrong checksum of a block"],
    ["another checksum of a stream", Buffer.from("425a683917724538509000000001", "hex"), "wrong checksum of a stream"],
  ];
  test.each(damaged)("refuses %s", async (_what, bytes, why) => {
    await expect(inflate(bytes)).rejects.toMatchObject({
      reason: "damaged-bzip2",
      exitCode: 3,
      cause: expect.objectContaining({ message: why }),
    });
  });

  test("does not care for the block size that a stream could have done with", async () => {
    expect(await inflate(altered({ 3: 0x31 }))).toHaveLength(84);
  });

  test("refuses a block that is longer than its stream says", async () => {
    const lines = Buffer.from(vector("bzip2 -9 of lines").file);
    lines[3] = 0x31;
    await expect(inflate(lines)).rejects.toMatchObject({
      cause: expect.objectContaining({ message: "a block longer than allowed" }),
    });
  });
});
