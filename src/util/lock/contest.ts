import type { DiskFile } from "../disk.ts";
import { BEAT_MS } from "./heartbeat.ts";
import { isLocalDisk } from "./local-disk.ts";
import { type ClaimRecord, decodeBeat, decodeLockRecord } from "./lock-record.ts";
import { isRunning, isSameSystem } from "./process-identity.ts";
import { decodeFrames, RECORD_BYTES } from "./record-frame.ts";

/** Milliseconds without a sign of life after which a claim from elsewhere is over: three beats. */
export const WATCH_MS: number = 3 * BEAT_MS;

/** Claims of this process: they all have the same pid. */
export const heldClaims: Set<string> = new Set();

/** The process that has a lock. */
export interface LockOwner {
  readonly pid: number;
  /** True if the pid is that of another container, another machine, or an earlier boot. */
  readonly isElsewhere: boolean;
}

/** What is known after a look at the claims before the own one. */
export type Verdict =
  /** The own claim is not in the file, or was ended by another process. */
  | { readonly state: "lost" }
  | { readonly state: "taken"; readonly owner: LockOwner }
  /** `silent` are claims from elsewhere that showed no sign of life. */
  | { readonly state: "won"; readonly silent: readonly ClaimRecord[] };

/** How to wait for a sign of life. */
export interface WatchOptions {
  /** Is called once, before waiting. */
  readonly onWait: (owner: LockOwner) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * Judges all earlier claims. The pid of a claim of this system says at once whether its process runs. One from before a
 * restart of this system is over. The pid of any other says nothing, so its beat is watched, and not its time, because the
 * clocks of two machines differ.
 */
export async function contest(file: DiskFile, own: ClaimRecord, options: WatchOptions): Promise<Verdict> {
  const isLocal = await isLocalDisk(file.path);
  let first: ReadonlyMap<string, number> | undefined;
  for (let watchedMs = 0; ; watchedMs += BEAT_MS) {
    const found = await readClaims(file, own);
    if (found === undefined) return { state: "lost" };
    const { rivals, beats } = found;
    const elsewhere: ClaimRecord[] = [];
    for (const rival of rivals) {
      if (isLocal && isBeforeRestart(rival, own)) continue;
      const isElsewhere = !isSameSystem(rival, own);
      const isRenewed = first !== undefined && first.get(rival.id) !== beats.get(rival.id);
      if (isElsewhere ? isRenewed : await isAlive(rival)) {
        return { state: "taken", owner: { pid: rival.pid, isElsewhere } };
      }
      if (isElsewhere) elsewhere.push(rival);
    }
    const [silent] = elsewhere;
    if (silent === undefined || watchedMs >= WATCH_MS) return { state: "won", silent: elsewhere };
    if (first === undefined) options.onWait({ pid: silent.pid, isElsewhere: true });
    first ??= beats;
    await options.wait(BEAT_MS);
  }
}

/** Whether the claim is in the file and was not ended. */
export async function isStanding(file: DiskFile, own: ClaimRecord): Promise<boolean> {
  return (await readClaims(file, own)) !== undefined;
}

/** All bytes of the file. */
export async function readAll(file: DiskFile): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size + RECORD_BYTES);
  const read = await file.read(bytes, 0);
  return bytes.subarray(0, read);
}

interface Claims {
  /** Before the own one, and not ended. */
  readonly rivals: readonly ClaimRecord[];
  /** By claim. */
  readonly beats: ReadonlyMap<string, number>;
}

/** @returns undefined if the own claim is not there, or ended. */
async function readClaims(file: DiskFile, own: ClaimRecord): Promise<Claims | undefined> {
  const frames = [...decodeFrames(await readAll(file))];
  const records = frames.flatMap(frame => decodeLockRecord(frame) ?? []);
  const ended = new Set(records.flatMap(record => (record.type === "release" ? [record.id] : [])));
  const claims = records.flatMap(record => (record.type === "claim" ? [record] : []));
  const index = claims.findIndex(({ id }) => id === own.id);
  if (index === -1 || ended.has(own.id)) return undefined;
  const beats = frames.flatMap((frame): [string, number][] => {
    const count = decodeBeat(frame);
    return count === undefined ? [] : [[frame.id, count]];
  });
  return { rivals: claims.slice(0, index).filter(({ id }) => !ended.has(id)), beats: new Map(beats) };
}

function isBeforeRestart(claim: ClaimRecord, own: ClaimRecord): boolean {
  return claim.started !== null && own.started !== null && claim.started.boot !== own.started.boot;
}

async function isAlive(claim: ClaimRecord): Promise<boolean> {
  return claim.pid === process.pid ? heldClaims.has(claim.id) : await isRunning(claim);
}
