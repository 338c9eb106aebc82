// What a disk may hold after a power cut. A model of what POSIX promises, not of one file system: anything that was not
// synced may be lost or kept on its own.
import { basename } from "node:path";
import type { LoggedOperation } from "./operation-log.ts";
import type { Seeded } from "./seeded.ts";

const PAGE_BYTES = 4096;
/** What a disk writes in one piece. */
const SECTOR_BYTES = 512;

export type FolderState = ReadonlyMap<string, Buffer>;

interface FileChange {
  readonly start: number;
  readonly end: number;
  /** Absent: only the size changes. */
  readonly write?: { readonly position: number; readonly bytes: Uint8Array };
  /** Of the file, after the change. */
  readonly size: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

class FileHistory {
  readonly before: Buffer;
  readonly changes: FileChange[] = [];
  readonly syncs: Span[] = [];
  size: number;

  constructor(before: Buffer) {
    this.before = before;
    this.size = before.length;
  }
}

/** A change of names: create, rename, remove. */
interface NameChange extends Span {
  apply(names: Map<string, FileHistory>): void;
}

export interface CrashState {
  readonly files: FolderState;
  /** What was chosen, for messages. */
  readonly how: string;
}

/** One folder, from its state before (durable) through all that was done to it. */
export class CrashModel {
  readonly #before: ReadonlyMap<string, FileHistory>;
  readonly #names: NameChange[] = [];
  readonly #folderSyncs: Span[] = [];

  constructor(before: FolderState, log: readonly LoggedOperation[]) {
    this.#before = new Map([...before].map(([name, bytes]) => [name, new FileHistory(bytes)]));
    const now = new Map(this.#before);
    for (const operation of log) this.#take(operation, now);
  }

  /** @param instant of the power cut: what began before it may have happened, what ended before it did, unsynced. */
  crash(instant: number, random: Seeded): CrashState {
    const begun = this.#names.filter(({ start }) => start < instant);
    const synced = lastSync(this.#folderSyncs, instant);
    const least = begun.filter(({ end }) => end < synced).length;
    const wish = random.whole(4);
    const taken = wish < 2 ? begun.length : wish === 2 ? least : least + random.whole(begun.length - least + 1);
    const names = new Map(this.#before);
    for (const change of begun.slice(0, taken)) change.apply(names);
    const how: string[] = [`instant ${instant}`, `${taken} of ${begun.length} names`];
    const files = new Map<string, Buffer>();
    for (const [name, history] of names) {
      const mode = random.pick(MODES);
      how.push(`${name} ${mode}`);
      files.set(name, contentAfter(history, instant, mode, random));
    }
    return { files, how: how.join(", ") };
  }

  #take(operation: LoggedOperation, now: Map<string, FileHistory>): void {
    const { kind, target, start, end, bytes } = operation;
    const name = basename(target);
    const file = now.get(name);
    const rename = (apply: NameChange["apply"]): void => {
      this.#names.push({ start, end, apply });
      apply(now);
    };
    if (kind === "create" && file === undefined) {
      const made = new FileHistory(Buffer.alloc(0));
      rename(names => names.set(name, made));
    } else if (kind === "remove") rename(names => names.delete(name));
    else if (kind === "rename") {
      rename(names => {
        const moved = names.get(name);
        names.delete(name);
        if (moved !== undefined) names.set(basename(operation.to ?? ""), moved);
      });
    } else if (kind === "sync-folder") this.#folderSyncs.push({ start, end });
    // A file without a name is nobody's any more.
    else if (file === undefined) return;
    else if (kind === "sync" || kind === "datasync") file.syncs.push({ start, end });
    else if (kind === "truncate") {
      file.size = operation.size ?? 0;
      file.changes.push({ start, end, size: file.size });
    } else if (kind === "write" && bytes !== undefined) {
      const position = operation.position ?? file.size;
      file.size = Math.max(file.size, position + bytes.length);
      file.changes.push({ start, end, size: file.size, write: { position, bytes } });
    }
  }
}

/** How much of what was not synced is there: none, all, any pages, any pages and some of them torn. */
const MODES = ["none", "all", "pages", "pages", "sectors"] as const;

function contentAfter(history: FileHistory, instant: number, mode: (typeof MODES)[number], random: Seeded): Buffer {
  const synced = lastSync(history.syncs, instant);
  const durable = history.changes.filter(({ end }) => end < synced);
  const loose = history.changes.filter(({ start, end }) => start < instant && end >= synced);
  const sizes = [durable.at(-1)?.size ?? history.before.length, ...loose.map(({ size }) => size)];
  const size = mode === "none" ? sizes[0] : mode === "all" ? sizes.at(-1) : random.pick(sizes);
  const content = Buffer.alloc(Math.max(history.before.length, ...history.changes.map(change => change.size)));
  history.before.copy(content);
  for (const { write } of durable) if (write !== undefined) content.set(write.bytes, write.position);
  if (mode !== "none") applyLoose(content, loose, mode, random);
  return content.subarray(0, size);
}

/** Of every page, any version since the last sync. */
function applyLoose(
  content: Buffer,
  loose: readonly FileChange[],
  mode: "all" | "pages" | "sectors",
  random: Seeded,
): void {
  const counts = new Map<number, number>();
  const writes = loose.flatMap(({ write }) => (write === undefined ? [] : [write]));
  const unitBytes = mode === "sectors" ? SECTOR_BYTES : PAGE_BYTES;
  const parts = writes.flatMap(({ position, bytes }) => {
    const found: { readonly unit: number; readonly ordinal: number; readonly at: number; readonly part: Uint8Array }[] =
      [];
    for (let at = position; at < position + bytes.length; ) {
      const unit = Math.floor(at / unitBytes);
      const end = Math.min(position + bytes.length, (unit + 1) * unitBytes);
      const ordinal = counts.get(unit) ?? 0;
      counts.set(unit, ordinal + 1);
      found.push({ unit, ordinal, at, part: bytes.subarray(at - position, end - position) });
      at = end;
    }
    return found;
  });
  const versions = new Map(
    [...counts].map(([unit, count]) => [unit, mode === "all" ? count : random.whole(count + 1)]),
  );
  for (const { unit, ordinal, at, part } of parts) if (ordinal < (versions.get(unit) ?? 0)) content.set(part, at);
}

/** Beginning of the last sync that had ended: it covers what had ended before it began. */
function lastSync(syncs: readonly Span[], instant: number): number {
  return syncs.reduce((last, { start, end }) => (end < instant ? Math.max(last, start) : last), 0);
}
