import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { ByteReader } from "../byte-reader.ts";
import type { Wording } from "../compressed-data.ts";
import { decodeUnits } from "../decode-units.ts";
import { expectZeros, variableLength, XzBlocks } from "./xz-block.ts";
import { XZ_CHECKS, type XzCheck } from "./xz-check.ts";

const WORDS: Wording = { format: "xz", unit: "stream" };
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const FOOTER_MAGIC = [0x59, 0x5a];

/**
 * Decompresses an xz file of one or more streams; checks the checksums of headers and blocks, the index and the footer.
 * Memory: the dictionary, at most 128 MiB. LZMA2 is the only supported filter. Padding between streams, which the format
 * allows, is refused: some readers stop there.
 *
 * @param what names the stream in messages.
 * @throws ArchiveError "truncated-xz", "damaged-xz", "xz-dictionary", "xz-filter", "xz-check", or "inflation-ratio" past
 * 1000:1 (security case Z-01).
 */
export async function* unxz(
  source: Readable,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  let blocks: XzBlocks | undefined;
  const decode = (input: ByteReader): AsyncGenerator<Uint8Array, void> => {
    // One decoder for all streams, because its window is large.
    blocks ??= new XzBlocks(input);
    return decodeStream(input, blocks);
  };
  yield* decodeUnits(source, WORDS, decode, { what, signal, ratioLimit });
}

async function* decodeStream(input: ByteReader, blocks: XzBlocks): AsyncGenerator<Uint8Array, void> {
  await input.expect(MAGIC);
  const flags = Buffer.from(await input.take(2));
  await expectCrc(input, crc32(flags));
  const check = checkOf(flags, input);
  const index = new IndexRecords();
  for (;;) {
    const headerSize = (await input.take(1))[0] ?? 0;
    if (headerSize === 0) break;
    yield* blocks.block(headerSize, check);
    index.add(blocks.unpadded, blocks.written);
  }
  const indexBytes = await readIndex(input, index);
  const footer = Buffer.from(await input.take(10));
  if (crc32(footer.subarray(4)) !== footer.readUInt32LE()) throw input.damaged("wrong checksum of a footer");
  if ((footer.readUInt32LE(4) + 1) * 4 !== indexBytes || !footer.subarray(8).equals(flags)) {
    throw input.damaged("a footer that does not match its stream");
  }
  await input.expect(FOOTER_MAGIC);
}

function checkOf(flags: Uint8Array, input: ByteReader): XzCheck {
  const [reserved = 0, kind = 0] = flags;
  if (reserved !== 0 || kind > 15) throw input.damaged("unknown flags in a stream header");
  const check = XZ_CHECKS.get(kind);
  if (check !== undefined) return check;
  throw input.unsupported(
    "xz-check",
    `an xz check of kind ${kind}, expected none, CRC32, CRC64 or SHA-256`,
    "Decompress the file with xz and compress it again.",
  );
}

/** The records of the blocks as the index must repeat them; hashed, because there can be many. */
class IndexRecords {
  count = 0;
  readonly #hash: Hash = createHash("sha256");

  add(unpadded: number, written: number): void {
    this.count += 1;
    this.#hash.update(`${unpadded} ${written}\n`);
  }

  equals(other: IndexRecords): boolean {
    return this.count === other.count && this.#hash.digest().equals(other.#hash.digest());
  }
}

/** Reads the index (section 4), after its first byte. @returns its length in bytes. */
async function readIndex(input: ByteReader, expected: IndexRecords): Promise<number> {
  const start = input.position - 1;
  let crc = crc32(Uint8Array.of(0));
  const number = async (): Promise<number> => {
    const bytes: number[] = [];
    do bytes.push((await input.take(1))[0] ?? 0);
    while ((bytes.at(-1) ?? 0) > 127 && bytes.length < 9);
    crc = crc32(Uint8Array.from(bytes), crc);
    return variableLength(() => bytes.shift() ?? 255, input);
  };
  const found = new IndexRecords();
  const count = await number();
  if (count !== expected.count) throw input.damaged("an index that does not match the blocks");
  for (let left = count; left > 0; left -= 1) found.add(await number(), await number());
  if (!found.equals(expected)) throw input.damaged("an index that does not match the blocks");
  const padding = -(input.position - start) & 3;
  await expectZeros(input, padding);
  await expectCrc(input, crc32(new Uint8Array(padding), crc));
  return input.position - start;
}

async function expectCrc(input: ByteReader, crc: number): Promise<void> {
  if (Buffer.from(await input.take(4)).readUInt32LE() !== crc)
    throw input.damaged("wrong checksum of a header or index");
}
