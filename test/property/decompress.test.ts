import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decompress } from "../../src/compress/decompress.ts";
import type { Compression } from "../../src/compress/detect.ts";
import { ArchiveError } from "../../src/errors.ts";
import { collect, noise } from "../support/memory-blobs.ts";

const randomBytes = noise(200_000, 41);
const piece = fc
  .tuple(fc.nat(100_000), fc.nat(60_000))
  .map(([start, length]) => randomBytes.subarray(start, start + length));
const pieces = fc.array(piece, { maxLength: 4 });
const partBytes = fc.integer({ min: 1, max: 70_000 });

async function inflate(compression: Compression, file: Uint8Array, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < file.length; at += bytes) parts.push(file.subarray(at, at + bytes));
  return await collect(decompress(Readable.from(parts), compression, "the test"));
}

/** A frame that stores each piece in a block of its own, behind a frame to be skipped. */
function zstdOf(parts: readonly Uint8Array[], skippedBytes: number): Buffer {
  const blocks = [...parts, new Uint8Array(0)].map((part, index) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE(part.length * 8 + (index === parts.length ? 1 : 0), 0, 3);
    return Buffer.concat([header, part]);
  });
  const skipped = Buffer.alloc(8 + skippedBytes, 0xfd);
  skipped.writeUInt32LE(0x184d2a53);
  skipped.writeUInt32LE(skippedBytes, 4);
  return Buffer.concat([skipped, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x60]), ...blocks]);
}

function withCrc(bytes: Uint8Array): Buffer {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, crc]);
}

function variableLength(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...variableLength(Math.floor(value / 128))];
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** A stream that stores each piece in a block of its own, with CRC32. */
function xzOf(parts: readonly Uint8Array[]): Buffer {
  const flags = Buffer.from([0, 1]);
  const records: number[] = [];
  const blocks = parts.map(part => {
    const header = withCrc(Buffer.from([2, 0, 0x21, 1, 8, 0, 0, 0]));
    const size = Buffer.alloc(2);
    size.writeUInt16BE((part.length - 1) & 0xffff);
    const chunk = part.length === 0 ? [] : [Buffer.from([1]), size, part];
    const data = Buffer.concat([...chunk, Buffer.from([0])]);
    records.push(...variableLength(header.length + data.length + 4), ...variableLength(part.length));
    return Buffer.concat([header, padded(data), withCrc(part).subarray(-4)]);
  });
  const index = withCrc(padded(Buffer.from([0, ...variableLength(parts.length), ...records])));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(index.length / 4 - 1);
  const tail = withCrc(Buffer.concat([size, flags]));
  const footer = Buffer.concat([tail.subarray(-4), size, flags, Buffer.from("YZ")]);
  return Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), withCrc(flags), ...blocks, index, footer]);
}

test("decompress() reads stored zstd blocks of any size in any chunking", async () => {
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(5000), partBytes, async (parts, skippedBytes, bytes) => {
      const found = await inflate("zstd", zstdOf(parts, skippedBytes), bytes);
      expect(Buffer.concat(parts).equals(found)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("decompress() reads stored xz blocks of any size in any chunking", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 3 }), partBytes, async (streams, bytes) => {
      const found = await inflate("xz", Buffer.concat(streams.map(xzOf)), bytes);
      expect(Buffer.concat(streams.flat()).equals(found)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("decompress() notices any byte of an xz file that was altered, and any that is missing at the end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      partBytes,
      async (parts, place, change, bytes) => {
        const file = xzOf(parts);
        const at = place % file.length;
        const altered = Buffer.from(file);
        altered[at] = (file[at] ?? 0) ^ change;
        await expect(inflate("xz", altered, bytes)).rejects.toBeInstanceOf(ArchiveError);
        await expect(inflate("xz", file.subarray(0, at), bytes)).rejects.toMatchObject({ reason: "truncated-xz" });
      },
    ),
    { numRuns: 60 },
  );
});

test("decompress() ends any bytes at all with output or an ArchiveError, the same for every chunking", async () => {
  const magics = { zstd: [0x28, 0xb5, 0x2f, 0xfd], xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], bzip2: [0x42, 0x5a, 0x68] };
  const verdict = async (compression: Compression, file: Uint8Array, bytes: number): Promise<string> => {
    try {
      return Buffer.from(await inflate(compression, file, bytes)).toString("hex");
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      return `${error.reason}: ${error.message}`;
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("zstd" as const, "xz" as const, "bzip2" as const),
      fc.uint8Array({ maxLength: 400 }),
      async (compression, tail) => {
        const file = Buffer.from([...magics[compression], ...tail]);
        const whole = await verdict(compression, file, 65_536);
        expect(await verdict(compression, file, 1)).toBe(whole);
        expect(await verdict(compression, file, 7)).toBe(whole);
      },
    ),
    { numRuns: 300 },
  );
});
