import { constants, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { pack as createPack, type Pack } from "tar-stream";
import { StorageError } from "../errors.ts";
import { errorCode } from "../util/error-code.ts";
import { quote } from "../util/format.ts";
import { abortable, type Deferred, deferred } from "../util/promises.ts";
import { open } from "../util/read-disk.ts";
import { type EntryHeader, entryHeader, type PackFolderOptions } from "./entry-header.ts";
import { type FolderEntry, readFault, walkFolder } from "./walk-folder.ts";

export interface FolderContents {
  /** Estimated size of the tar: bodies, and a header for each entry. */
  readonly bytes: number;
  readonly entries: number;
  /** For the user, before the folder is packed. */
  readonly notes: readonly string[];
}

const BLOCK_BYTES = 512;
const PART_BYTES = 256 * 1024;
/** Files up to this size are read ahead, several at once: opening and closing them takes most of the time. */
const MAX_SMALL_BYTES = 64 * 1024;
const MAX_FILES_AHEAD = 16;
/** Tar bytes that may wait for a slow reader. */
const MAX_WAITING_BYTES = 1024 * 1024;

interface Prepared {
  readonly entry: FolderEntry;
  /** Only of a small file. */
  readonly body?: Buffer;
}

/** What `packFolder` will pack. @throws StorageError for a path that cannot be listed. */
export async function surveyFolder(path: string, signal?: AbortSignal): Promise<FolderContents> {
  const notes: string[] = [];
  let bytes = 2 * BLOCK_BYTES;
  let entries = 0;
  for await (const { name, type, stats } of walkFolder(path, signal)) {
    if (type === "socket") {
      notes.push(`Skipping ${quote(name)}: a layer cannot contain a socket`);
      continue;
    }
    if (/(?:^|\/)\.wh\.[^/]*\/?$/.test(name)) {
      notes.push(
        `${quote(name)} will not be in a container: names that begin with ".wh." delete files of layers below`,
      );
    }
    entries += 1;
    bytes += BLOCK_BYTES + (type === "file" ? stats.size : 0);
  }
  return { bytes, entries, notes };
}

/**
 * A folder as the tar of a layer: entries sorted by name, with the same time, without user names, so that the same folder
 * gives the same bytes on any machine. The folder itself has no entry. Extended attributes are dropped.
 *
 * @throws StorageError for a path that cannot be read, or changes while it is read.
 */
export async function* packFolder(
  path: string,
  options: PackFolderOptions,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const pack = createPack({ highWaterMark: MAX_WAITING_BYTES });
  const flow: Flow = { made: 0, taken: 0, moved: deferred<void>() };
  const stop = new AbortController();
  const feeding = feed(pack, flow, path, options, stop.signal).then(
    () => pack.finalize(),
    error => void pack.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    for await (const part of pack as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted();
      yield part;
      flow.taken += part.length;
      flow.moved.resolve();
    }
  } finally {
    stop.abort();
    pack.destroy();
    await feeding;
  }
}

interface Flow {
  made: number;
  taken: number;
  moved: Deferred<void>;
}

async function feed(
  pack: Pack,
  flow: Flow,
  path: string,
  options: PackFolderOptions,
  signal: AbortSignal,
): Promise<void> {
  for await (const { entry, body } of prepare(walkFolder(path, signal))) {
    // tar-stream accepts headers without limit.
    while (flow.made - flow.taken > MAX_WAITING_BYTES) {
      flow.moved = deferred<void>();
      await abortable(flow.moved.promise, signal);
    }
    signal.throwIfAborted();
    const header = entryHeader(entry, options);
    flow.made += BLOCK_BYTES + (header.size ?? 0);
    if (entry.type === "file" && body === undefined) await packLarge(pack, header, entry, signal);
    else await packWhole(pack, header, body);
  }
}

async function* prepare(entries: AsyncIterable<FolderEntry>): AsyncGenerator<Prepared, void> {
  const ahead: Promise<Prepared>[] = [];
  for await (const entry of entries) {
    if (entry.type === "socket") continue;
    const prepared = readSmall(entry);
    // Awaited in its turn.
    prepared.catch(() => undefined);
    ahead.push(prepared);
    const next = ahead.length > MAX_FILES_AHEAD ? ahead.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  for (const prepared of ahead) yield await prepared;
}

async function readSmall(entry: FolderEntry): Promise<Prepared> {
  if (entry.type !== "file" || entry.stats.size > MAX_SMALL_BYTES) return { entry };
  const body = Buffer.allocUnsafe(entry.stats.size);
  await withFile(entry, async file => await fill(file, body, 0, entry));
  return { entry, body };
}

async function packWhole(pack: Pack, header: EntryHeader, body: Buffer | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onDone = (error?: Error | null): void => (error ? reject(error) : resolve());
    const sink = body === undefined ? pack.entry(header, onDone) : pack.entry(header, body, onDone);
    sink.on("error", onDone);
  });
}

async function packLarge(pack: Pack, header: EntryHeader, entry: FolderEntry, signal: AbortSignal): Promise<void> {
  const done = deferred<void>();
  done.promise.catch(() => undefined);
  const sink = pack.entry(header, error => (error ? done.reject(error) : done.resolve()));
  // If the tar fails, so does the entry that is being written.
  sink.on("error", done.reject);
  await withFile(entry, async file => {
    const { size } = entry.stats;
    for (let position = 0; position < size; position += PART_BYTES) {
      const part = Buffer.allocUnsafe(Math.min(PART_BYTES, size - position));
      await fill(file, part, position, entry);
      if (!sink.write(part)) await drained(sink, signal);
    }
  });
  sink.end(undefined);
  await done.promise;
}

async function drained(sink: ReturnType<Pack["entry"]>, signal: AbortSignal): Promise<void> {
  const drain = deferred<void>();
  sink.once("drain", drain.resolve);
  try {
    await abortable(drain.promise, signal);
  } finally {
    sink.off("drain", drain.resolve);
  }
}

/** Opens the file that was listed, without following a link, and checks after reading that it has not changed. */
async function withFile(entry: FolderEntry, read: (file: FileHandle) => Promise<void>): Promise<void> {
  const { path, stats } = entry;
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw errorCode(cause) === "ELOOP" ? changed(path) : readFault(path, cause);
  }
  try {
    await read(file);
    if (!isSame(stats, await file.stat())) throw changed(path);
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, part: Buffer, position: number, { path }: FolderEntry): Promise<void> {
  for (let filled = 0; filled < part.length; ) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(part, filled, part.length - filled, position + filled));
    } catch (cause) {
      throw readFault(path, cause);
    }
    if (bytesRead === 0) throw changed(path);
    filled += bytesRead;
  }
}

function isSame(listed: Stats, read: Stats): boolean {
  return (["dev", "ino", "size", "mtimeMs"] as const).every(field => listed[field] === read[field]);
}

function changed(path: string): StorageError {
  return new StorageError(`Cannot pack ${quote(path)}: it changed while it was read, expected it to stay as it was`, {
    hint: "Stop the program that writes to the folder, or import a copy of it.",
  });
}
