import { crc32 } from "node:zlib";

/**
 * The first block of a partial archive, instead of the first header: no reader accepts the file as a tar, and the marker
 * names the journal of the file.
 */
export interface PartialMarker {
  /** 8 bytes in hex, as in the journal. */
  readonly nonce: string;
  /** 16 bytes in hex: what the user asked for. */
  readonly command: string;
}

export const MARKER_BYTES = 512;
const MAGIC = Buffer.from("imgpack: unfinished archive\n");
const FIELDS_OFFSET = 64;
const CRC_OFFSET = 88;

export function encodeMarker({ nonce, command }: PartialMarker): Uint8Array {
  const bytes = Buffer.alloc(MARKER_BYTES);
  MAGIC.copy(bytes);
  bytes.write(nonce, FIELDS_OFFSET, 8, "hex");
  bytes.write(command, FIELDS_OFFSET + 8, 16, "hex");
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/** @returns undefined if the bytes are no marker. */
export function decodeMarker(bytes: Buffer): PartialMarker | undefined {
  if (bytes.length < MARKER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(CRC_OFFSET) !== crc32(bytes.subarray(0, CRC_OFFSET))) return undefined;
  return {
    nonce: bytes.toString("hex", FIELDS_OFFSET, FIELDS_OFFSET + 8),
    command: bytes.toString("hex", FIELDS_OFFSET + 8, FIELDS_OFFSET + 24),
  };
}
