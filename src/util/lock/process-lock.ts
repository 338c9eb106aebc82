import { setTimeout as sleep } from "node:timers/promises";
import { StorageError } from "../../errors.ts";
import { type DiskFile, discardFile, openForAppend } from "../disk.ts";
import { errorCode } from "../error-code.ts";
import { quote } from "../format.ts";
import { isNamed } from "../input-guard.ts";
import { isOwnedByUser } from "../private-file.ts";
import { contest, heldClaims, isStanding, readAll } from "./contest.ts";
import { Heartbeat } from "./heartbeat.ts";
import { isLocalDisk } from "./local-disk.ts";
import { type ClaimRecord, decodeLockRecord, encodeBeat, encodeLockRecord, newClaim } from "./lock-record.ts";
import { isBeingWritten, isTakenOver, type LockLoss, type LockRefusal, waitNote } from "./lock-words.ts";
import { decodeFrames, isRecordFile, RECORD_BYTES } from "./record-frame.ts";

/** `open` of a symbolic link, a folder, a socket. */
const NO_FILE_CODES: ReadonlySet<string> = new Set(["ELOOP", "EISDIR", "ENXIO"]);
/** The journal of an archive of 250 GB; no file of ours is larger. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_ATTEMPTS = 20;

/** Options of `ProcessLock.claim`. */
export interface LockOptions {
  /** Default: the output is being written. */
  readonly refusal?: LockRefusal | undefined;
  /** Default: another run writes the output now. */
  readonly loss?: LockLoss | undefined;
  /** Is called with a sentence before waiting for a sign of life of an owner elsewhere. */
  readonly onNote?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For tests: passes the time, in milliseconds. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * A lock between processes. Each one appends its claim to the same file, which puts the claims in order: the first whose
 * process still runs owns the lock. Each claim is renewed every 2 s, so that processes of other containers and machines
 * see that it is alive. The owner may append other records, which the next owner can read.
 */
export class ProcessLock {
  readonly path: string;
  readonly claim: ClaimRecord;
  /** The file's bytes before the claim: what earlier owners appended. */
  readonly earlier: Buffer;
  /** True if an earlier owner only showed no sign of life: it may stand still, and write when it continues. */
  readonly isFromSilentOwner: boolean;
  readonly #file: DiskFile;
  readonly #heartbeat: Heartbeat;
  readonly #loss: () => StorageError;
  #isClosed = false;

  private constructor(contender: Contender, loss: () => StorageError, isFromSilentOwner: boolean) {
    this.path = contender.file.path;
    this.claim = contender.claim;
    this.earlier = contender.earlier;
    this.isFromSilentOwner = isFromSilentOwner;
    this.#file = contender.file;
    this.#heartbeat = contender.heartbeat;
    this.#loss = loss;
  }

  /**
   * Makes this process the owner. Creates the file at `path` if there is none.
   *
   * @param output what the lock is on, for messages.
   * @throws StorageError made by `refusal` while another process owns the lock; also if `path` is no file of ours.
   */
  static async claim(path: string, output: string, options: LockOptions = {}): Promise<ProcessLock> {
    const { refusal = isBeingWritten } = options;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const lock = await ProcessLock.#attempt(path, output, options, refusal);
      if (lock !== undefined) return lock;
    }
    throw refusal(output, undefined);
  }

  /** @returns undefined if the owner removed the file in the meantime. */
  static async #attempt(
    path: string,
    output: string,
    options: LockOptions,
    refusal: LockRefusal,
  ): Promise<ProcessLock | undefined> {
    const contender = await enter(path);
    if (contender === undefined) return undefined;
    const { file, claim } = contender;
    let isOwner = false;
    try {
      const verdict = await contest(file, claim, {
        onWait: owner => options.onNote?.(waitNote(output, owner)),
        wait: options.wait ?? (async ms => await sleep(ms, undefined, { signal: options.signal })),
      });
      if (verdict.state === "lost") return undefined;
      if (verdict.state === "taken") throw refusal(output, verdict.owner);
      for (const { id } of verdict.silent) await file.write(encodeLockRecord({ type: "release", id }));
      // Meanwhile, the owner may have removed the file, or another process may have ended a claim that stood still.
      if (!(await isOwned(file, claim))) return undefined;
      isOwner = true;
      const { loss = isTakenOver } = options;
      return new ProcessLock(contender, () => loss(output), verdict.silent.length > 0);
    } finally {
      if (!isOwner) await leave(contender);
    }
  }

  /** Resolves with the error of `checkOwned` once this process notices, at the latest after two beats, that it lost the lock. */
  get lost(): Promise<StorageError> {
    return this.#heartbeat.lost.then(this.#loss);
  }

  /**
   * Call it before anything gets its final name: a process that stood still may have lost the lock without noticing.
   *
   * @throws StorageError if another process owns the lock now.
   */
  async checkOwned(): Promise<void> {
    if (await this.isOwned()) return;
    this.#heartbeat.lose();
    throw this.#loss();
  }

  /** As `checkOwned`, but reads the file only after this process stood still: cheap enough for each write. */
  async checkAfterPause(): Promise<void> {
    if (!(await this.isSafe())) throw this.#loss();
  }

  /** As `checkAfterPause`, without an error. */
  async isSafe(): Promise<boolean> {
    return await this.#heartbeat.isSafe();
  }

  /** Appends records of the owner, made by `encodeFrame`. */
  async append(records: Uint8Array): Promise<void> {
    await this.#file.write(records);
  }

  /** Makes the records durable. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** Frees the lock and leaves the records for the next owner. */
  async release(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await leave({ file: this.#file, claim: this.claim, heartbeat: this.#heartbeat });
  }

  /** Frees the lock and removes its file, unless another file has its name, or another process owns the lock now. */
  async remove(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#heartbeat.stop();
      if (await this.isOwned()) await discardFile(this.path);
    } finally {
      this.#isClosed = true;
      heldClaims.delete(this.claim.id);
      await this.#file.close();
    }
  }

  /** False if another process owns the lock now, or the file was removed or replaced. */
  async isOwned(): Promise<boolean> {
    return await isOwned(this.#file, this.claim);
  }
}

/** A claim in the file, which may own the lock. */
interface Contender {
  readonly file: DiskFile;
  readonly claim: ClaimRecord;
  readonly heartbeat: Heartbeat;
  /** Bytes before the claim. */
  readonly earlier: Buffer;
}

/** @returns undefined if the claim did not get into the file. */
async function enter(path: string): Promise<Contender | undefined> {
  const file = await openForAppend(path, 0o600).catch(error => {
    throw NO_FILE_CODES.has(errorCode(error)) ? notOurs(path) : error;
  });
  const claim = await newClaim();
  heldClaims.add(claim.id);
  let isIn = false;
  try {
    await checkFile(file);
    const isLocal = await isLocalDisk(path);
    await file.write(Buffer.concat([encodeLockRecord(claim), encodeBeat(claim.id, 0)]));
    if (!isLocal) await file.datasync();
    if (!(await hasItsName(file))) return undefined;
    const bytes = await readAll(file);
    const own = [...decodeFrames(bytes)].find(
      frame => frame.id === claim.id && decodeLockRecord(frame)?.type === "claim",
    );
    // Where appends are not atomic, as on NFS, another process may have overwritten it.
    if (own === undefined) return undefined;
    isIn = true;
    const isStillOwned = async (): Promise<boolean> => await isOwned(file, claim);
    const heartbeat = new Heartbeat(file, claim.id, own.offset + RECORD_BYTES, isLocal, isStillOwned);
    return { file, claim, heartbeat, earlier: bytes.subarray(0, own.offset) };
  } finally {
    if (!isIn) {
      heldClaims.delete(claim.id);
      await file.close();
    }
  }
}

/** Ends the claim. */
async function leave({ file, claim, heartbeat }: Omit<Contender, "earlier">): Promise<void> {
  await heartbeat.stop();
  // A full disk may refuse the record; then the claim ends with this process.
  await file.write(encodeLockRecord({ type: "release", id: claim.id })).catch(() => undefined);
  heldClaims.delete(claim.id);
  await file.close();
}

/** @throws StorageError for a file that is not ours, which stays as it is (security case F-01). */
async function checkFile(file: DiskFile): Promise<void> {
  const stats = await file.stat();
  const isLikely = stats.isFile() && stats.nlink <= 1 && isOwnedByUser(stats) && stats.size <= MAX_FILE_BYTES;
  if (isLikely && isRecordFile(await readAll(file))) return;
  throw notOurs(file.path);
}

function notOurs(path: string): StorageError {
  return new StorageError(
    `Cannot write ${quote(path)}: found something else, expected a lock file of imgpack or nothing`,
    {
      hint: "Remove it, or choose another output name.",
    },
  );
}

async function hasItsName(file: DiskFile): Promise<boolean> {
  return await isNamed(await file.stat(), file.path);
}

async function isOwned(file: DiskFile, claim: ClaimRecord): Promise<boolean> {
  return (await hasItsName(file)) && (await isStanding(file, claim));
}
