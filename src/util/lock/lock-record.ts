import { randomBytes } from "node:crypto";
import { ownIdentity, type ProcessIdentity } from "./process-identity.ts";
import { encodeFrame, FIELDS_OFFSET, hexAt, numberAt, type RecordFrame } from "./record-frame.ts";

/** A process that wants the lock. */
export interface ClaimRecord extends ProcessIdentity {
  readonly type: "claim";
  /** Of this claim, 8 bytes in hex. */
  readonly id: string;
}

/** The claim is over: its owner says so, or another process that saw no sign of life from it. */
export interface ReleaseRecord {
  readonly type: "release";
  readonly id: string;
}

export type LockRecord = ClaimRecord | ReleaseRecord;

const CLAIM = 1;
const RELEASE = 2;
/** Types below this one belong to the lock; records of its owner start here. */
export const FIRST_OWNER_TYPE = 3;
/** Above all types of owners. */
const BEAT = 128;
const PID_OFFSET = FIELDS_OFFSET;
const TICKS_OFFSET = FIELDS_OFFSET + 4;
const BOOT_OFFSET = FIELDS_OFFSET + 12;
const BOOT_BYTES = 16;
const NAMESPACE_OFFSET = FIELDS_OFFSET + 28;
const NAMESPACE_BYTES = 8;
const COUNT_OFFSET = FIELDS_OFFSET;
const NO_BOOT = "0".repeat(32);

/** Fields of a claim: pid (4), start in ticks (8), boot id (16), namespace of the pid (8); 8 bytes are free. */
export function encodeLockRecord(record: LockRecord): Uint8Array {
  if (record.type === "release") return encodeFrame(RELEASE, record.id);
  return encodeFrame(CLAIM, record.id, bytes => {
    bytes.writeUInt32LE(record.pid, PID_OFFSET);
    bytes.writeBigUInt64LE(BigInt(record.started?.ticks ?? 0), TICKS_OFFSET);
    bytes.write(record.started?.boot ?? NO_BOOT, BOOT_OFFSET, BOOT_BYTES, "hex");
    bytes.write(record.namespace, NAMESPACE_OFFSET, NAMESPACE_BYTES, "hex");
  });
}

/** @returns undefined for a record of the lock's owner, and for a beat. */
export function decodeLockRecord({ type, id, bytes }: RecordFrame): LockRecord | undefined {
  if (type === RELEASE) return { type: "release", id };
  if (type !== CLAIM) return undefined;
  const boot = hexAt(bytes, BOOT_OFFSET, BOOT_BYTES);
  return {
    type: "claim",
    id,
    pid: bytes.readUInt32LE(PID_OFFSET),
    started: boot === NO_BOOT ? null : { boot, ticks: numberAt(bytes, TICKS_OFFSET) },
    namespace: hexAt(bytes, NAMESPACE_OFFSET, NAMESPACE_BYTES),
  };
}

/** The sign of life of a claim, which its process overwrites with a new count. @param count below 2³². */
export function encodeBeat(id: string, count: number): Uint8Array {
  return encodeFrame(BEAT, id, bytes => bytes.writeUInt32LE(count, COUNT_OFFSET));
}

/** @returns the count; undefined for any other record. */
export function decodeBeat({ type, bytes }: RecordFrame): number | undefined {
  return type === BEAT ? bytes.readUInt32LE(COUNT_OFFSET) : undefined;
}

/** A new claim of this process. */
export async function newClaim(): Promise<ClaimRecord> {
  return { type: "claim", id: randomBytes(8).toString("hex"), ...(await ownIdentity()) };
}
