import { createHash } from "node:crypto";
import { join } from "node:path";
import { discardFile, makeFolders } from "../../util/disk.ts";
import { ProcessLock } from "../../util/lock/process-lock.ts";
import { isRecordFile } from "../../util/lock/record-frame.ts";
import { isOwnFolder, readOwnFile, removeStale } from "../../util/private-file.ts";
import { replaceUnsynced } from "../../util/replace-file.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { Repository } from "../client/repository.ts";
import { originOf } from "../origin/origin.ts";
import { resolveUploadLocation } from "../origin/redirect-policy.ts";

/** Below this size a second upload costs less than the requests that resume the first one. */
const MIN_BYTES = 16 * 1024 * 1024;
/** Pieces of this size, or of a quarter of it, have no measurable cost. */
const PIECE_BYTES = 64 * 1024 * 1024;
/** Registries forget an idle upload after this time, some of them sooner. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** A record starts with this and its id. */
const MARK = '{"imgpack":"upload-2","id":"';
/** Of a record, of one that is being written, and of a lock. */
const OWN_NAME = /^([0-9a-f]{64})(?:\.json(?:\.[0-9a-f]{12})?|(\.lock))$/;

export interface UploadJournalOptions {
  /** Called with what happens to uploads of earlier runs. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Smallest blob whose upload is kept; default 16 MiB. */
  readonly minBytes?: number | undefined;
  /** Bytes of a request, where the registry acknowledges pieces; default 64 MiB. */
  readonly pieceBytes?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Which blob goes where. The same `key` means the same bytes, also in a later run. */
export interface UploadName {
  readonly repository: Repository;
  readonly key: string;
}

/** An upload of an earlier run. */
export interface SavedUpload {
  readonly url: URL;
  /** Bytes that the registry had acknowledged. */
  readonly offset: number;
}

/**
 * The open upload sessions of this machine, so that a later run can resume those of an interrupted run. Their URLs are
 * capabilities (security case A-17): only the owner can read the files, and nothing prints them. A lock next to each record
 * keeps it to one run.
 */
export class UploadJournal {
  readonly minBytes: number;
  readonly #pieceBytes: number;
  readonly #folder: string;
  readonly #now: () => number;
  readonly #onNote: (message: string) => void;
  #isReady: Promise<boolean> | undefined;

  /** @param cacheFolder contains the folder `uploads`, which is created when needed. */
  constructor(cacheFolder: string, options: UploadJournalOptions = {}) {
    const { onNote = () => undefined, minBytes = MIN_BYTES, pieceBytes = PIECE_BYTES, now = Date.now } = options;
    this.#folder = join(cacheFolder, "uploads");
    this.minBytes = minBytes;
    this.#pieceBytes = pieceBytes;
    this.#onNote = onNote;
    this.#now = now;
  }

  /** Claims the record of one upload; undefined while another upload holds it, or when none can be kept. */
  async claim(name: UploadName, signal?: AbortSignal): Promise<UploadRecord | undefined> {
    this.#isReady ??= this.#prepare();
    if (!(await this.#isReady.catch(() => false))) return undefined;
    const id = idOf(name);
    const output = `upload to ${name.repository.client.registry}/${name.repository.name}`;
    const options = { onNote: this.#onNote, signal };
    const lock = await ProcessLock.claim(join(this.#folder, `${id}.lock`), output, options).catch(() => undefined);
    if (lock === undefined) return undefined;
    try {
      return await this.#open(join(this.#folder, `${id}.json`), id, name, lock);
    } catch {
      await lock.remove().catch(() => undefined);
      return undefined;
    }
  }

  /** Removes the record of an upload whose blob has arrived otherwise. */
  async forget(name: UploadName, signal?: AbortSignal): Promise<void> {
    if ((await readOwnFile(join(this.#folder, `${idOf(name)}.json`))) === undefined) return;
    await using record = await this.claim(name, signal);
    if (record?.saved !== undefined) await record.drop();
  }

  async #open(
    path: string,
    id: string,
    { repository: { client } }: UploadName,
    lock: ProcessLock,
  ): Promise<UploadRecord> {
    const text = await readOwnFile(path);
    const found = text === undefined ? undefined : parseRecord(text);
    const isFresh = found !== undefined && Math.abs(this.#now() - found.time) < KEPT_MS;
    const url = isFresh && found.id === id ? allowedUrl(client, found.url) : undefined;
    const saved = found === undefined || url === undefined ? undefined : { url, offset: found.offset };
    if (found !== undefined && saved === undefined) await discardFile(path);
    const write = async ({ url, offset }: SavedUpload): Promise<void> => {
      // A session on another host may need nothing but its address, so that is not written down.
      if (allowedUrl(client, url.href) === undefined) return await discardFile(path);
      await lock.checkOwned();
      const fields = JSON.stringify({ time: this.#now(), url: url.href, offset });
      // After a power cut the record may be missing, torn or old, and the registry is asked in any case.
      await replaceUnsynced(path, Buffer.from(`${MARK}${id}",${fields.slice(1)}`));
    };
    const release = async (): Promise<void> => await lock.remove();
    const remove = async (): Promise<void> => await discardFile(path);
    return new UploadRecord(saved, { write, remove, release, note: this.#onNote, pieceBytes: this.#pieceBytes });
  }

  async #prepare(): Promise<boolean> {
    await makeFolders(this.#folder, 0o700);
    if (!(await isOwnFolder(this.#folder))) return false;
    await removeStale(this.#folder, this.#now() - KEPT_MS, isOwnFile);
    return true;
  }
}

interface RecordActs {
  readonly write: (upload: SavedUpload) => Promise<void>;
  readonly remove: () => Promise<void>;
  readonly release: () => Promise<void>;
  readonly note: (message: string) => void;
  readonly pieceBytes: number;
}

/** What is known of one upload. A record that cannot be written costs a second upload, but not the push. */
export class UploadRecord implements AsyncDisposable {
  readonly note: (message: string) => void;
  /** Bytes of a request, where the registry acknowledges pieces. */
  readonly pieceBytes: number;
  readonly #acts: RecordActs;
  #saved: SavedUpload | undefined;

  constructor(saved: SavedUpload | undefined, acts: RecordActs) {
    this.#saved = saved;
    this.#acts = acts;
    this.note = acts.note;
    this.pieceBytes = acts.pieceBytes;
  }

  get saved(): SavedUpload | undefined {
    return this.#saved;
  }

  async save(upload: SavedUpload): Promise<void> {
    this.#saved = upload;
    await this.#acts.write(upload).catch(() => undefined);
  }

  async drop(): Promise<void> {
    this.#saved = undefined;
    await this.#acts.remove().catch(() => undefined);
  }

  /** Ends the claim; the file stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#acts.release().catch(() => undefined);
  }
}

/** Whether this is the name of a file that the journal writes, and its content is that of one, or the start of it. */
function isOwnFile(name: string, content: Buffer): boolean {
  const [, id, lock] = OWN_NAME.exec(name) ?? [];
  if (id === undefined) return false;
  if (lock !== undefined) return isRecordFile(content);
  const mark = `${MARK}${id}"`;
  return content.toString("latin1", 0, mark.length) === mark.slice(0, content.length);
}

function idOf({ repository, key }: UploadName): string {
  return createHash("sha256").update(`${repository.client.registry}\n${repository.name}\n${key}`).digest("hex");
}

/** Checked like a new Location (security case A-05), and limited to the registry's own origin. */
function allowedUrl(client: RegistryClient, url: string): URL | undefined {
  try {
    const fromIsPrivate = client.transport.isInside(client.base);
    const location = resolveUploadLocation(client.base, url, { fromIsPrivate });
    return location.sameOrigin && originOf(new URL(url)) === originOf(client.base) ? location.url : undefined;
  } catch {
    return undefined;
  }
}

interface RecordContent {
  readonly id: string;
  readonly time: number;
  readonly url: string;
  readonly offset: number;
}

function parseRecord(text: string): RecordContent | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { id, time, url, offset } = Object(found) as Readonly<Record<string, unknown>>;
  if (!text.startsWith(MARK) || typeof id !== "string" || typeof url !== "string") return undefined;
  if (!Number.isFinite(time) || !Number.isSafeInteger(offset) || Number(offset) < 0) return undefined;
  return { id, time: Number(time), url, offset: Number(offset) };
}
