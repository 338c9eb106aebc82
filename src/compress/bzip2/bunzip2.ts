import type { Readable } from "node:stream";
import type { ByteReader } from "../byte-reader.ts";
import type { Wording } from "../compressed-data.ts";
import { decodeUnits } from "../decode-units.ts";
import { Bzip2Bits } from "./bzip2-bits.ts";
import { Bzip2Block } from "./bzip2-block.ts";

const WORDS: Wording = { format: "bzip2", unit: "stream" };
const MAGIC = [0x42, 0x5a, 0x68];
/** Magic numbers of a block (digits of pi) and of the end (its square root), in halves of 24 bits. */
const BLOCK = [0x314159, 0x265359] as const;
const END = [0x177245, 0x385090] as const;

/**
 * Decompresses a bzip2 file of one or more streams; checks the checksums of blocks and streams. Memory: about 6 MiB.
 *
 * @param what names the stream in messages.
 * @throws ArchiveError "truncated-bzip2", "damaged-bzip2", or "inflation-ratio" past 1000:1 (security case Z-01).
 */
export async function* bunzip2(
  source: Readable,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  let tools: { readonly bits: Bzip2Bits; readonly block: Bzip2Block } | undefined;
  const decode = (input: ByteReader): AsyncGenerator<Uint8Array, void> => {
    if (tools === undefined) {
      const bits = new Bzip2Bits(input);
      tools = { bits, block: new Bzip2Block(bits) };
    }
    return decodeStream(input, tools.bits, tools.block);
  };
  yield* decodeUnits(source, WORDS, decode, { what, signal, ratioLimit });
}

async function* decodeStream(input: ByteReader, bits: Bzip2Bits, block: Bzip2Block): AsyncGenerator<Uint8Array, void> {
  await input.expect(MAGIC);
  await input.fill(1);
  const level = (input.data[input.at] ?? 0) - 0x30;
  if (level < 1 || level > 9) throw input.damaged("unknown block size");
  input.at += 1;
  let streamCrc = 0;
  for (;;) {
    await bits.ensure(10);
    const first = bits.take(24);
    const second = bits.take(24);
    const crc = bits.take32();
    bits.checkEnd();
    if (first === END[0] && second === END[1]) {
      bits.alignToByte();
      if (crc !== streamCrc) throw input.damaged("wrong checksum of a stream");
      return;
    }
    if (first !== BLOCK[0] || second !== BLOCK[1]) throw bits.damaged("neither a block nor the end of a stream");
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
    await block.read(level * 100_000);
    bits.giveBack();
    for (const part of block.parts()) yield part;
    if (block.crc !== crc) throw input.damaged("wrong checksum of a block");
  }
}
