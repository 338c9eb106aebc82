import { randomBytes } from "node:crypto";
import { ownIdentity, type ProcessIdentity } from "./process-identity.ts";
import { encodeFrame, FIELDS_OFFSET, hexAt, numberAt, type RecordFrame } from "./record-frame.ts";

/** A process that wants the lock. */
export interface ClaimRecord {
  readonly type: "claim";
  /** Of this claim, 8 bytes in hex. */
  readonly id: string;
  readonly pid: number;
  /** Boot id, 32 hex digits, and start of the process in clock ticks; null where the system reports neither. */
  readonly started: { readonly boot: string; readonly ticks: number } | null;
}

/** The claim is over. */
export interface ReleaseRecord {
  readonly type: "release";
  readonly id: string;
}

export type LockRecord = ClaimRecord | ReleaseRecord;

const CLAIM = 1;
const RELEASE = 2;
/** Types below this one belong to the lock; records of its owner start here. */
export const FIRST_OWNER_TYPE = 3;
const PID_OFFSET = FIELDS_OFFSET;
const TICKS_OFFSET = FIELDS_OFFSET + 4;
const BOOT_OFFSET = FIELDS_OFFSET + 12;
const BOOT_BYTES = 16;
const NO_BOOT = "0".repeat(32);

/** Fields of a claim: pid (4), start in ticks (8), boot id (16); 16 bytes are free. */
export function encodeLockRecord(record: LockRecord): Uint8Array {
  if (record.type === "release") return encodeFrame(RELEASE, record.id);
  return encodeFrame(CLAIM, record.id, bytes => {
    bytes.writeUInt32LE(record.pid, PID_OFFSET);
    bytes.writeBigUInt64LE(BigInt(record.started?.ticks ?? 0), TICKS_OFFSET);
    bytes.write(record.started?.boot ?? NO_BOOT, BOOT_OFFSET, BOOT_BYTES, "hex");
  });
}

/** @returns undefined for a record of the lock's owner. */
export function decodeLockRecord({ type, id, bytes }: RecordFrame): LockRecord | undefined {
  if (type === RELEASE) return { type: "release", id };
  if (type !== CLAIM) return undefined;
  const boot = hexAt(bytes, BOOT_OFFSET, BOOT_BYTES);
  const started = boot === NO_BOOT ? null : { boot, ticks: numberAt(bytes, TICKS_OFFSET) };
  return { type: "claim", id, pid: bytes.readUInt32LE(PID_OFFSET), started };
}

/** A new claim of this process. */
export async function newClaim(): Promise<ClaimRecord> {
  const { pid, started } = await ownIdentity();
  const [boot, ticks] = started?.split(" ") ?? [];
  const hex = boot?.replaceAll("-", "");
  return {
    type: "claim",
    id: randomBytes(8).toString("hex"),
    pid,
    started: hex !== undefined && /^[0-9a-f]{32}$/.test(hex) ? { boot: hex, ticks: Number(ticks) } : null,
  };
}

/** The process that wrote a claim. */
export function claimant({ pid, started }: ClaimRecord): ProcessIdentity {
  if (started === null) return { pid, started: null };
  const boot = started.boot.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { pid, started: `${boot} ${started.ticks}` };
}
