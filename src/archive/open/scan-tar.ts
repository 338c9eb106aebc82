import { type OneShotBlob, oneShotBlob } from "../../content/one-shot-blob.ts";
import { BLOCK_BYTES, hasMagic } from "../../tar/header.ts";
import { notATar } from "../../tar/looks-like.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { TarWalk } from "../../tar/tar-walk.ts";
import { TaskGroup } from "../../util/task-group.ts";
import type { BodyHandler } from "../archive.ts";
import { ByteFeed } from "./byte-feed.ts";

/** Returns the handler of a file's body by its first bytes, at most 512; undefined skips it. Later entries wait for it. */
export type ChooseHandler = (
  entry: TarEntry,
  start: Uint8Array,
  signal: AbortSignal,
) => Promise<BodyHandler | undefined> | BodyHandler | undefined;

export interface ScanTarOptions {
  /** The archive as messages show it. */
  readonly what: string;
  /** What the tar is of, for messages; default "it". */
  readonly subject?: string | undefined;
  /** Maximum number of handlers at once: one is fed while others still work on the end of their bodies. */
  readonly concurrency: number;
  /** True ends the scan early, without reading the rest of the archive. */
  readonly isDone?: (() => boolean) | undefined;
  /** Is called with the first failure at once: a source that stalls must not delay it. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a tar from front to back by the same grammar as `indexTar`, and gives bodies of files to their handlers. Settles
 * after all handlers have.
 *
 * @throws ArchiveError as `indexTar`; the first failure of a handler, which stops everything.
 */
export async function scanTar(
  parts: AsyncIterable<Uint8Array>,
  choose: ChooseHandler,
  { what, subject, concurrency, isDone, onFailure, signal }: ScanTarOptions,
): Promise<TarWalk> {
  await using feed = new ByteFeed(parts);
  await using tasks = new TaskGroup(concurrency, signal, onFailure);
  const walk = new TarWalk({ what, subject });
  try {
    for (;;) {
      tasks.check();
      const { kind, bytes } = walk.demand;
      if (!(await feed.skipTo(walk.position))) break;
      const chunk = kind === "zeros" ? await feed.some() : await feed.exactly(bytes);
      if (chunk === undefined || chunk.length < bytes) {
        if (walk.position === 0 && chunk !== undefined && !hasMagic(chunk))
          throw notATar(chunk, chunk.length, what, subject);
        break;
      }
      const entry = walk.push(chunk);
      if (entry?.type === "file") await handleBody(feed, entry, choose, tasks, signal);
      if (isDone?.()) {
        await tasks.ended();
        return walk;
      }
    }
    walk.end(feed.position);
    await tasks.ended();
    return walk;
  } catch (error) {
    tasks.fail(error);
    tasks.check();
    throw error;
  }
}

async function handleBody(
  feed: ByteFeed,
  entry: TarEntry,
  choose: ChooseHandler,
  tasks: TaskGroup,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = Buffer.from(await feed.exactly(Math.min(BLOCK_BYTES, entry.size)));
  const handler = await choose(entry, start, signal ?? new AbortController().signal);
  if (handler === undefined) return;
  await tasks.room();
  const body = oneShotBlob(entry.size);
  const handled = tasks.start(async own => await handler(body.blob, own));
  void handled.then(body.leave);
  // If the archive ends too early, the error of the walk stops the handler.
  const isWanted = await feedBody(feed, entry, start, body);
  if (isWanted === true) body.end();
  // The handler has ended: if it failed, the rest of a large body must not be read.
  if (isWanted !== false) return;
  await handled;
  tasks.check();
}

/** @returns false if the handler does not need the rest; undefined if the archive ended before the body. */
async function feedBody(
  feed: ByteFeed,
  entry: TarEntry,
  start: Uint8Array,
  body: OneShotBlob,
): Promise<boolean | undefined> {
  const end = entry.bodyOffset + entry.size;
  for (let part: Uint8Array | undefined = start; part !== undefined; part = await feed.some(end - feed.position)) {
    if (!(await body.feed(part))) return false;
    if (feed.position === end) return true;
  }
  return undefined;
}
