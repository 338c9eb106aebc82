import { crc32 } from "node:zlib";

/** A record as it is in a file. */
export interface RecordFrame {
  readonly type: number;
  /** 8 bytes in hex: what the record is about. */
  readonly id: string;
  /** All 64 bytes; fields are from FIELDS_OFFSET on. */
  readonly bytes: Buffer;
  /** Of the first byte in the file. */
  readonly offset: number;
}

export const RECORD_BYTES = 64;
export const FIELDS_OFFSET = 16;
const TYPE_OFFSET = 4;
const ID_OFFSET = 8;
const ID_BYTES = 8;
const CRC_OFFSET = RECORD_BYTES - 4;
const MAGIC = Buffer.from("IPJ1");

/**
 * 64 bytes: magic (4), type (1), zeros (3), id (8), fields (44), CRC-32 of all before it (4). Numbers are little-endian.
 *
 * @param setFields writes between FIELDS_OFFSET and byte 60.
 */
export function encodeFrame(type: number, id: string, setFields?: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.alloc(RECORD_BYTES);
  MAGIC.copy(bytes);
  bytes[TYPE_OFFSET] = type;
  bytes.write(id, ID_OFFSET, ID_BYTES, "hex");
  setFields?.(bytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/**
 * The valid records, in order. Torn and damaged ones are skipped: after a torn one, another process's append may start
 * at any offset.
 */
export function* decodeFrames(bytes: Buffer): Generator<RecordFrame> {
  for (let offset = bytes.indexOf(MAGIC); offset !== -1 && offset + RECORD_BYTES <= bytes.length; ) {
    const frame = bytes.subarray(offset, offset + RECORD_BYTES);
    const isValid = frame.readUInt32LE(CRC_OFFSET) === crc32(frame.subarray(0, CRC_OFFSET));
    if (isValid) {
      yield { type: frame[TYPE_OFFSET] ?? 0, id: hexAt(frame, ID_OFFSET, ID_BYTES), bytes: frame, offset };
    }
    offset = bytes.indexOf(MAGIC, offset + (isValid ? RECORD_BYTES : 1));
  }
}

/** Whether a file of records may look like this, also after a power cut, which may leave zeros in place of any of them. */
export function isRecordFile(bytes: Buffer): boolean {
  const first = bytes.findIndex(byte => byte !== 0);
  if (first === -1) return true;
  const begin = bytes.subarray(first, first + MAGIC.length);
  return MAGIC.subarray(0, begin.length).equals(begin) || decodeFrames(bytes).next().done !== true;
}

export function hexAt(bytes: Buffer, offset: number, length: number): string {
  return bytes.toString("hex", offset, offset + length);
}

/** Of 64 bits. */
export function numberAt(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}
