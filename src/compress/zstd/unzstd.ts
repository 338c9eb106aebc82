import type { Readable } from "node:stream";
import type { ByteReader } from "../byte-reader.ts";
import type { Wording } from "../compressed-data.ts";
import { decodeUnits } from "../decode-units.ts";
import { nodeZstd } from "./node-zstd.ts";
import { ZstdDamage } from "./zstd-bits.ts";
import { readFrameHeader, type ZstdFrameDecoder } from "./zstd-frame.ts";
import { ZstdNativeFrame } from "./zstd-native-frame.ts";
import { ZstdOwnFrame } from "./zstd-own-frame.ts";
import { ZSTD_BLOCK_BYTES } from "./zstd-window.ts";

const WORDS: Wording = { format: "zstd", unit: "frame" };
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPED_MAGIC = [0x2a, 0x4d, 0x18];

/**
 * Decompresses a zstd file of one or more frames, also skippable frames (RFC 8878), and checks the checksums that frames
 * have. Blocks are decoded by Node's decoder if there is one. Frames and block headers are always read here: Node stops
 * after the first frame and accepts a truncated frame. Memory: the window, at most 128 MiB, and a quarter more.
 *
 * @param what names the stream in messages.
 * @throws ArchiveError "truncated-zstd", "damaged-zstd", "zstd-window", "zstd-dictionary" (security case Z-05), or
 * "inflation-ratio" past 1000:1 (security case Z-01).
 */
export async function* unzstd(
  source: Readable,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  let own: ZstdOwnFrame | undefined;
  const decode = (input: ByteReader): AsyncGenerator<Uint8Array, void> =>
    decodeUnit(input, isShort => {
      if (!isShort && nodeZstd !== undefined) return new ZstdNativeFrame();
      // One decoder for all frames, because its window is large.
      own ??= new ZstdOwnFrame();
      return own;
    });
  yield* decodeUnits(source, WORDS, decode, { what, signal, ratioLimit });
}

async function* decodeUnit(
  input: ByteReader,
  decoderFor: (isShort: boolean) => ZstdFrameDecoder,
): AsyncGenerator<Uint8Array, void> {
  if ((await input.offer(1)) && (input.data[input.at] ?? 0) >> 4 === 5) {
    input.at += 1;
    await input.expect(SKIPPED_MAGIC);
    await input.skip(Buffer.from(await input.take(4)).readUInt32LE());
    return;
  }
  await input.expect(MAGIC);
  try {
    yield* decodeFrame(input, decoderFor);
  } catch (error) {
    throw error instanceof ZstdDamage ? input.damaged(error.message) : error;
  }
}

async function* decodeFrame(
  input: ByteReader,
  decoderFor: (isShort: boolean) => ZstdFrameDecoder,
): AsyncGenerator<Uint8Array, void> {
  const header = await readFrameHeader(input, MAGIC);
  const maxBytes = Math.min(header.windowBytes, ZSTD_BLOCK_BYTES);
  let decoder: ZstdFrameDecoder | undefined;
  let written = 0;
  const count = (parts: readonly Uint8Array[]): readonly Uint8Array[] => {
    for (const part of parts) written += part.length;
    if (written > (header.contentBytes ?? Infinity)) throw new ZstdDamage("a frame longer than its header says");
    return parts;
  };
  try {
    for (let isLast = false; !isLast; ) {
      await input.fill(3);
      const block = Buffer.from(input.data.buffer, input.data.byteOffset + input.at, 3).readUIntLE(0, 3);
      isLast = (block & 1) === 1;
      const kind = (block >> 1) & 3;
      const size = block >> 3;
      if (kind === 3 || size > maxBytes) throw new ZstdDamage("an impossible block");
      if (decoder === undefined) {
        decoder = decoderFor(isLast);
        decoder.begin(header);
      }
      yield* count(await decoder.block(kind, size, await input.take(3 + (kind === 1 ? 1 : size))));
    }
    const checksum = Uint8Array.from(await input.take(header.hasChecksum ? 4 : 0));
    if (decoder !== undefined) yield* count(await decoder.end(checksum));
    if (written < (header.contentBytes ?? 0)) throw new ZstdDamage("a frame shorter than its header says");
  } finally {
    decoder?.close();
  }
}
