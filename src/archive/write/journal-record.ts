import { crc32 } from "node:zlib";

/** A process that wants to write the archive; `id` is its own, of 8 bytes in hex. */
export interface ClaimRecord {
  readonly type: "claim";
  readonly id: string;
  readonly pid: number;
  /** Boot id, 32 hex digits, and start of the process in clock ticks; null where the system tells neither. */
  readonly started: { readonly boot: string; readonly ticks: number } | null;
}

/** The claim is over. */
export interface ReleaseRecord {
  readonly type: "release";
  readonly id: string;
}

/** An archive is begun; what follows belongs to it, until the next one. */
export interface OpenRecord {
  readonly type: "open";
  /** 8 bytes in hex; also in the marker of the partial file. */
  readonly nonce: string;
  /** 16 bytes in hex, of everything that the finished file's bytes follow from. */
  readonly plan: string;
  /** 16 bytes in hex, of what the user asked for; zeros when nobody means to go on with it. */
  readonly command: string;
  readonly totalBytes: number;
}

/** Where a blob lies in the file. */
export interface BlobRecord {
  readonly type: "blob";
  readonly nonce: string;
  readonly index: number;
  readonly size: number;
  readonly offset: number;
  /** The first 16 bytes of the digest, in hex. */
  readonly digest: string;
}

/** The blob's first `bytes` are in the file; on the medium when `isDurable`, else as long as this system runs. */
export interface ProgressRecord {
  readonly type: "progress";
  readonly nonce: string;
  readonly index: number;
  readonly bytes: number;
  readonly isDurable: boolean;
  /** The claim of the process that wrote it. */
  readonly claim: string;
}

/** Nothing of the blob counts any more. */
export interface ResetRecord {
  readonly type: "reset";
  readonly nonce: string;
  readonly index: number;
}

/** The file is whole and durable; only its name may be missing. */
export interface DoneRecord {
  readonly type: "done";
  readonly nonce: string;
}

export type JournalRecord =
  | ClaimRecord
  | ReleaseRecord
  | OpenRecord
  | BlobRecord
  | ProgressRecord
  | ResetRecord
  | DoneRecord;

export const RECORD_BYTES = 64;
const MAGIC = Buffer.from("IPJ1");
const CRC_OFFSET = RECORD_BYTES - 4;
const TYPES = ["claim", "release", "open", "blob", "progress", "reset", "done"] as const;
const NO_BOOT = "0".repeat(32);

/**
 * 64 bytes: magic (4), type (1), zeros (3), nonce or claim (8), fields (44), CRC-32 of all before it (4). Numbers are
 * little-endian.
 */
export function encodeRecord(record: JournalRecord): Uint8Array {
  const bytes = Buffer.alloc(RECORD_BYTES);
  MAGIC.copy(bytes);
  bytes[4] = TYPES.indexOf(record.type) + 1;
  bytes.write("id" in record ? record.id : record.nonce, 8, 8, "hex");
  switch (record.type) {
    case "claim":
      bytes.writeUInt32LE(record.pid, 16);
      bytes.writeBigUInt64LE(BigInt(record.started?.ticks ?? 0), 20);
      bytes.write(record.started?.boot ?? NO_BOOT, 28, 16, "hex");
      break;
    case "open":
      bytes.write(record.plan, 16, 16, "hex");
      bytes.write(record.command, 32, 16, "hex");
      bytes.writeBigUInt64LE(BigInt(record.totalBytes), 48);
      break;
    case "blob":
      bytes.writeUInt32LE(record.index, 16);
      bytes.writeBigUInt64LE(BigInt(record.size), 20);
      bytes.writeBigUInt64LE(BigInt(record.offset), 28);
      bytes.write(record.digest, 36, 16, "hex");
      break;
    case "progress":
      bytes.writeUInt32LE(record.index, 16);
      bytes.writeBigUInt64LE(BigInt(record.bytes), 20);
      bytes[28] = record.isDurable ? 1 : 0;
      bytes.write(record.claim, 32, 8, "hex");
      break;
    case "reset":
      bytes.writeUInt32LE(record.index, 16);
      break;
    default:
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/**
 * The valid records, in order. What is torn or damaged is passed over: appends of another process follow a torn one at
 * any offset.
 */
export function* decodeRecords(bytes: Buffer): Generator<JournalRecord> {
  for (let at = bytes.indexOf(MAGIC); at !== -1 && at + RECORD_BYTES <= bytes.length; ) {
    const record = decodeRecord(bytes.subarray(at, at + RECORD_BYTES));
    if (record !== undefined) yield record;
    at = bytes.indexOf(MAGIC, record === undefined ? at + 1 : at + RECORD_BYTES);
  }
}

/** Whether a journal may look so, after a power cut too, which may leave zeros in place of any records. */
export function isJournal(bytes: Buffer): boolean {
  const first = bytes.findIndex(byte => byte !== 0);
  if (first === -1) return true;
  const begin = bytes.subarray(first, first + MAGIC.length);
  return MAGIC.subarray(0, begin.length).equals(begin) || decodeRecords(bytes).next().done !== true;
}

function decodeRecord(bytes: Buffer): JournalRecord | undefined {
  if (bytes.readUInt32LE(CRC_OFFSET) !== crc32(bytes.subarray(0, CRC_OFFSET))) return undefined;
  const type = TYPES[(bytes[4] ?? 0) - 1];
  const nonce = hexAt(bytes, 8, 8);
  switch (type) {
    case "claim": {
      const boot = hexAt(bytes, 28, 16);
      const started = boot === NO_BOOT ? null : { boot, ticks: numberAt(bytes, 20) };
      return { type, id: nonce, pid: bytes.readUInt32LE(16), started };
    }
    case "release":
      return { type, id: nonce };
    case "open":
      return {
        type,
        nonce,
        plan: hexAt(bytes, 16, 16),
        command: hexAt(bytes, 32, 16),
        totalBytes: numberAt(bytes, 48),
      };
    case "blob":
      return {
        type,
        nonce,
        index: bytes.readUInt32LE(16),
        size: numberAt(bytes, 20),
        offset: numberAt(bytes, 28),
        digest: hexAt(bytes, 36, 16),
      };
    case "progress":
      return {
        type,
        nonce,
        index: bytes.readUInt32LE(16),
        bytes: numberAt(bytes, 20),
        isDurable: bytes[28] === 1,
        claim: hexAt(bytes, 32, 8),
      };
    case "reset":
      return { type, nonce, index: bytes.readUInt32LE(16) };
    case "done":
      return { type, nonce };
    default:
      return undefined;
  }
}

function hexAt(bytes: Buffer, offset: number, length: number): string {
  return bytes.toString("hex", offset, offset + length);
}

function numberAt(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}
