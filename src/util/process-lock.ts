import { lstat } from "node:fs/promises";
import { StorageError } from "../errors.ts";
import { type DiskFile, openForAppend, removeFile } from "./disk.ts";
import { errorCode } from "./error-code.ts";
import { quote } from "./format.ts";
import { type ClaimRecord, claimant, decodeLockRecord, encodeLockRecord, newClaim } from "./lock-record.ts";
import { isOwnedByUser } from "./private-file.ts";
import { isRunning } from "./process-identity.ts";
import { decodeFrames, isRecordFile, RECORD_BYTES, type RecordFrame } from "./record-frame.ts";

/** `open` of a symbolic link, a folder, a socket. */
const NO_FILE_CODES: ReadonlySet<string> = new Set(["ELOOP", "EISDIR", "ENXIO"]);
/** The journal of an archive of 250 GB; no file of ours is larger. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_ATTEMPTS = 20;

/** The error for a lock that is taken; `owner` is a pid, where it is known. */
export type LockRefusal = (output: string, owner: number | undefined) => StorageError;

/** Claims of this process: they all have the same pid. */
const heldClaims = new Set<string>();

/**
 * A lock between processes. Each one appends its claim to the same file, which puts the claims in order: the first whose
 * process still runs owns the lock. The owner may append other records, which the next owner can read.
 */
export class ProcessLock {
  readonly path: string;
  readonly claim: ClaimRecord;
  /** The file's bytes before the claim: what earlier owners appended. */
  readonly earlier: Buffer;
  readonly #file: DiskFile;
  #isClosed = false;

  private constructor(file: DiskFile, claim: ClaimRecord, earlier: Buffer) {
    this.path = file.path;
    this.claim = claim;
    this.earlier = earlier;
    this.#file = file;
  }

  /**
   * Makes this process the owner. Creates the file at `path` if there is none.
   *
   * @param output what the lock is on, for messages.
   * @throws StorageError made by `refusal` while another process owns the lock; also if `path` is no file of ours.
   */
  static async claim(path: string, output: string, refusal: LockRefusal = isBeingWritten): Promise<ProcessLock> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const lock = await ProcessLock.#attempt(path, output, refusal);
      if (lock !== undefined) return lock;
    }
    throw refusal(output, undefined);
  }

  /** @returns undefined if the owner removed the file in the meantime. */
  static async #attempt(path: string, output: string, refusal: LockRefusal): Promise<ProcessLock | undefined> {
    const file = await openForAppend(path, 0o600).catch(error => {
      throw NO_FILE_CODES.has(errorCode(error)) ? notOurs(path) : error;
    });
    const claim = await newClaim();
    heldClaims.add(claim.id);
    let isOwner = false;
    try {
      await checkFile(file);
      await file.write(encodeLockRecord(claim));
      if (!(await hasItsName(file))) return undefined;
      const bytes = await readAll(file);
      const frames = [...decodeFrames(bytes)];
      const index = frames.findIndex(frame => frame.id === claim.id && decodeLockRecord(frame)?.type === "claim");
      const own = frames[index];
      // Where appends are not atomic, as on NFS, another process may have overwritten it.
      if (own === undefined) return undefined;
      const owner = await ownerOf(frames.slice(0, index));
      if (owner !== undefined) {
        await file.write(encodeLockRecord({ type: "release", id: claim.id }));
        throw refusal(output, owner);
      }
      isOwner = true;
      return new ProcessLock(file, claim, bytes.subarray(0, own.offset));
    } finally {
      if (!isOwner) {
        heldClaims.delete(claim.id);
        await file.close();
      }
    }
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
    // A full disk may refuse the record; then the lock is free when this process ends.
    await this.#file.write(encodeLockRecord({ type: "release", id: this.claim.id })).catch(() => undefined);
    await this.#close();
  }

  /** Frees the lock and removes its file, unless another file has its name. */
  async remove(): Promise<void> {
    try {
      if (await hasItsName(this.#file)) await removeFile(this.path);
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    heldClaims.delete(this.claim.id);
    await this.#file.close();
  }
}

/** @returns the pid of the first claim that is not released and whose process still runs. */
async function ownerOf(frames: readonly RecordFrame[]): Promise<number | undefined> {
  const records = frames.flatMap(frame => decodeLockRecord(frame) ?? []);
  const released = new Set(records.flatMap(record => (record.type === "release" ? [record.id] : [])));
  for (const record of records) {
    if (record.type === "claim" && !released.has(record.id) && (await isAlive(record))) return record.pid;
  }
  return undefined;
}

async function isAlive(claim: ClaimRecord): Promise<boolean> {
  return claim.pid === process.pid ? heldClaims.has(claim.id) : await isRunning(claimant(claim));
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
  const [open, named] = await Promise.all([file.stat(), lstat(file.path).catch(() => undefined)]);
  return named?.ino === open.ino && named.dev === open.dev;
}

async function readAll(file: DiskFile): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size + RECORD_BYTES);
  const read = await file.read(bytes, 0);
  return bytes.subarray(0, read);
}

function isBeingWritten(output: string, owner: number | undefined): StorageError {
  return new StorageError(
    `Cannot write ${quote(output)}: process ${owner ?? "unknown"} is writing it, expected no other`,
    { hint: "Wait for it to end, or choose another output name." },
  );
}
