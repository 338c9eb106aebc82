import type { ByteReader } from "../byte-reader.ts";
import { MAX_WINDOW_BYTES } from "../compressed-data.ts";

/** A frame's header (RFC 8878 section 3.1.1.1). */
export interface ZstdFrameHeader {
  /** Magic and header. */
  readonly bytes: Uint8Array;
  readonly windowBytes: number;
  /** Decompressed size; not every frame contains it. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** Decodes the blocks of a frame, in order. @throws ZstdDamage for damaged data. */
export interface ZstdFrameDecoder {
  begin(header: ZstdFrameHeader): void;
  /** @param block with its header; @param kind 0 raw, 1 repeated byte, 2 compressed; @param count from the header. */
  block(kind: number, count: number, block: Uint8Array): Promise<readonly Uint8Array[]>;
  /** @param checksum empty if the frame has none. @returns the rest of the output. */
  end(checksum: Uint8Array): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** Reads the header, after the magic. */
export async function readFrameHeader(input: ByteReader, magic: readonly number[]): Promise<ZstdFrameHeader> {
  await input.fill(1);
  const flags = input.data[input.at] ?? 0;
  if ((flags & 8) !== 0) throw input.damaged("a reserved bit in a frame header");
  const isSingle = (flags & 0x20) !== 0;
  const idBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = flags >> 6 === 0 ? (isSingle ? 1 : 0) : 2 ** (flags >> 6);
  const idAt = isSingle ? 1 : 2;
  const header = Buffer.from(await input.take(idAt + idBytes + sizeBytes));
  if (header.subarray(idAt, idAt + idBytes).some(byte => byte !== 0)) {
    throw input.unsupported(
      "zstd-dictionary",
      "zstd data that needs a dictionary, expected none",
      "Decompress the file with zstd and its dictionary, then compress it without one.",
    );
  }
  const contentBytes = contentSize(header.subarray(idAt + idBytes));
  const windowBytes = isSingle ? (contentBytes ?? 0) : windowSize(header[1] ?? 0);
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw input.unsupported(
      "zstd-window",
      `a zstd window of ${windowBytes} bytes, expected at most ${MAX_WINDOW_BYTES}`,
      "Decompress the file with zstd and compress it with at most --long=27.",
    );
  }
  const hasChecksum = (flags & 4) !== 0;
  return { bytes: Buffer.from([...magic, ...header]), windowBytes, contentBytes, hasChecksum };
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

function contentSize(field: Buffer): number | undefined {
  if (field.length === 0) return undefined;
  if (field.length === 8) return field.readUInt32LE() + field.readUInt32LE(4) * 2 ** 32;
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}
