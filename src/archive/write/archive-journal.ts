import { randomBytes } from "node:crypto";
import { lstat } from "node:fs/promises";
import { StorageError } from "../../errors.ts";
import { type DiskFile, errorCode, openForAppend, removeFile } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { isOwn, isRunning, ownIdentity } from "../../util/process-identity.ts";
import {
  type ClaimRecord,
  decodeRecords,
  encodeRecord,
  isJournal,
  type JournalRecord,
  RECORD_BYTES,
} from "./journal-record.ts";

/** Of a name that no file has: a symbolic link, a folder, a socket. */
const NO_FILE_CODES: ReadonlySet<string> = new Set(["ELOOP", "EISDIR", "ENXIO"]);
/** A record for each chunk of 250 GB; more is no journal of ours. */
const MAX_JOURNAL_BYTES = 256 * 1024 * 1024;
const MAX_ATTEMPTS = 20;

type Refusal = (output: string, owner: number | undefined) => StorageError;

/** Claims of this process: its own pid cannot tell them apart. */
const held = new Set<string>();

/**
 * What has been written to a partial archive, and the lock on it. Append-only: processes that want the same archive put
 * their claims in one order by appending them, and the first that still runs has it.
 */
export class ArchiveJournal {
  readonly path: string;
  /** What earlier runs wrote. */
  readonly records: readonly JournalRecord[];
  readonly claim: ClaimRecord;
  readonly #file: DiskFile;
  #waiting: Uint8Array[] = [];
  /** The write that takes what waits, as soon as the one before it has ended. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(file: DiskFile, claim: ClaimRecord, records: readonly JournalRecord[]) {
    this.path = file.path;
    this.claim = claim;
    this.records = records;
    this.#file = file;
  }

  /**
   * Opens the journal, or begins one, and makes this process its owner.
   *
   * @param output what the journal is about, for messages.
   * @param refusal what is thrown while the process `owner` has it.
   * @throws StorageError while another process writes the same archive, or when something else has the journal's name.
   */
  static async claim(path: string, output: string, refusal: Refusal = busy): Promise<ArchiveJournal> {
    for (let attempt = 1; ; attempt += 1) {
      const journal = await ArchiveJournal.#attempt(path, output, refusal);
      if (journal !== undefined) return journal;
      if (attempt === MAX_ATTEMPTS) throw refusal(output, undefined);
    }
  }

  /** @returns undefined when the owner finished meanwhile and took the journal away. */
  static async #attempt(path: string, output: string, refusal: Refusal): Promise<ArchiveJournal | undefined> {
    const file = await openForAppend(path, 0o600).catch(error => {
      throw NO_FILE_CODES.has(errorCode(error)) ? notJournal(path) : error;
    });
    let isOurs = false;
    const claim = await newClaim();
    held.add(claim.id);
    try {
      await checkFile(file);
      await file.write(encodeRecord(claim));
      if (!(await isNamed(file))) return undefined;
      const records = [...decodeRecords(await readAll(file))];
      const place = records.findIndex(record => record.type === "claim" && record.id === claim.id);
      // Where appends are not atomic, such as on NFS, another process may have written over it.
      if (place === -1) return undefined;
      const earlier = records.slice(0, place);
      const owner = await liveOwner(earlier);
      if (owner !== undefined) {
        await file.write(encodeRecord({ type: "release", id: claim.id }));
        throw refusal(output, owner);
      }
      isOurs = true;
      return new ArchiveJournal(file, claim, earlier);
    } finally {
      if (!isOurs) {
        held.delete(claim.id);
        await file.close();
      }
    }
  }

  /** In order; those that wait while another write is under way go out together. */
  async append(records: readonly JournalRecord[]): Promise<void> {
    this.#waiting.push(...records.map(encodeRecord));
    this.#next ??= this.#writeAfter(this.#last);
    this.#last = this.#next;
    await this.#next;
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** The next run may have it. */
  async release(): Promise<void> {
    if (this.#isClosed) return;
    await this.#last.catch(() => undefined);
    // A full disk may refuse it; this process ends some day, too.
    await this.#file.write(encodeRecord({ type: "release", id: this.claim.id })).catch(() => undefined);
    await this.#close();
  }

  /** The archive is finished, or given up. */
  async remove(): Promise<void> {
    try {
      if (await isNamed(this.#file)) await removeFile(this.path);
    } finally {
      await this.#close();
    }
  }

  async #writeAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => undefined);
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#next = undefined;
    await this.#file.write(bytes);
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    held.delete(this.claim.id);
    await this.#file.close();
  }
}

async function newClaim(): Promise<ClaimRecord> {
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

/** @returns the pid of the first that claimed the archive and still runs. */
async function liveOwner(records: readonly JournalRecord[]): Promise<number | undefined> {
  const released = new Set(records.flatMap(record => (record.type === "release" ? [record.id] : [])));
  for (const record of records) {
    if (record.type !== "claim" || released.has(record.id)) continue;
    if (record.pid === process.pid ? held.has(record.id) : await isRunning(identityOf(record))) return record.pid;
  }
  return undefined;
}

function identityOf({ pid, started }: ClaimRecord): { readonly pid: number; readonly started: string | null } {
  if (started === null) return { pid, started: null };
  const boot = started.boot.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { pid, started: `${boot} ${started.ticks}` };
}

/** @throws StorageError; nothing in the file is touched (security case F-01). */
async function checkFile(file: DiskFile): Promise<void> {
  const stats = await file.stat();
  const isLikely = stats.isFile() && stats.nlink <= 1 && isOwn(stats) && stats.size <= MAX_JOURNAL_BYTES;
  if (isLikely && isJournal(await readAll(file))) return;
  throw notJournal(file.path);
}

function notJournal(path: string): StorageError {
  return new StorageError(`Cannot write ${quote(path)}: found something else, expected a journal or nothing`, {
    hint: "Remove it, or choose another output name.",
  });
}

async function isNamed(file: DiskFile): Promise<boolean> {
  const [held, named] = await Promise.all([file.stat(), lstat(file.path).catch(() => undefined)]);
  return named?.ino === held.ino && named.dev === held.dev;
}

async function readAll(file: DiskFile): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size + RECORD_BYTES);
  const read = await file.read(bytes, 0);
  return bytes.subarray(0, read);
}

function busy(output: string, owner: number | undefined): StorageError {
  return new StorageError(
    `Cannot write ${quote(output)}: process ${owner ?? "unknown"} is writing it, expected no other`,
    { hint: "Wait for it to end, or choose another output name." },
  );
}
