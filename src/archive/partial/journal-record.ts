import {
  type ClaimRecord,
  decodeLockRecord,
  encodeLockRecord,
  FIRST_OWNER_TYPE,
  type ReleaseRecord,
} from "../../util/lock/lock-record.ts";
import { decodeFrames, encodeFrame, hexAt, numberAt, type RecordFrame } from "../../util/lock/record-frame.ts";

/** Starts an archive; later records belong to it, until the next one. */
export interface OpenRecord {
  readonly type: "open";
  /** 8 bytes in hex; also in the marker of the partial file. */
  readonly nonce: string;
  /** Hash of everything that determines the bytes of the finished file; 16 bytes in hex. */
  readonly plan: string;
  /** Hash of what the user asked for, 16 bytes in hex; zeros if it cannot be resumed. */
  readonly command: string;
  readonly totalBytes: number;
}

/** The position of a blob in the file. */
export interface BlobRecord {
  readonly type: "blob";
  readonly nonce: string;
  readonly index: number;
  readonly size: number;
  readonly offset: number;
  /** The first 16 bytes of the digest, in hex. */
  readonly digest: string;
}

/** The blob's first `bytes` are in the file; on the medium if `isDurable`, else as long as this system runs. */
export interface ProgressRecord {
  readonly type: "progress";
  readonly nonce: string;
  readonly index: number;
  readonly bytes: number;
  readonly isDurable: boolean;
  /** The claim of the process that wrote it. */
  readonly claim: string;
}

/** Earlier progress of the blob is void. */
export interface ResetRecord {
  readonly type: "reset";
  readonly nonce: string;
  readonly index: number;
}

/** The file is complete and durable; only the rename may be missing. */
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

type OwnRecord = Exclude<JournalRecord, ClaimRecord | ReleaseRecord>;

const TYPES = ["open", "blob", "progress", "reset", "done"] as const;

export function encodeRecord(record: JournalRecord): Uint8Array {
  if (record.type === "claim" || record.type === "release") return encodeLockRecord(record);
  const type = FIRST_OWNER_TYPE + TYPES.indexOf(record.type);
  return encodeFrame(type, record.nonce, bytes => setFields(bytes, record));
}

function setFields(bytes: Buffer, record: OwnRecord): void {
  switch (record.type) {
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
    case "done":
      break;
  }
}

/** The valid records, in order; torn and damaged ones are skipped. */
export function* decodeRecords(bytes: Buffer): Generator<JournalRecord> {
  for (const frame of decodeFrames(bytes)) {
    const record = decodeLockRecord(frame) ?? decodeOwnRecord(frame);
    if (record !== undefined) yield record;
  }
}

function decodeOwnRecord({ type: number, id: nonce, bytes }: RecordFrame): OwnRecord | undefined {
  const type = TYPES[number - FIRST_OWNER_TYPE];
  switch (type) {
    case "open": {
      const [plan, command] = [hexAt(bytes, 16, 16), hexAt(bytes, 32, 16)];
      return { type, nonce, plan, command, totalBytes: numberAt(bytes, 48) };
    }
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
