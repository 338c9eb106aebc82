import { type OneShotBlob, oneShotBlob } from "../../content/one-shot-blob.ts";
import { BLOCK_BYTES, hasMagic } from "../../tar/header.ts";
import { notATar } from "../../tar/looks-like.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { TarWalk } from "../../tar/tar-walk.ts";
import { TaskGroup } from "../../util/task-group.ts";
import type { BodyHandler } from "../archive.ts";
import { ByteFeed } from "./byte-feed.ts";

/**
 * Looks at a file's first bytes, up to 512, and says what to do with its body; undefined passes it over. The entries
 * behind it wait for the answer.
 */
export type ChooseBody = (
  entry: TarEntry,
  start: Uint8Array,
  signal: AbortSignal,
) => Promise<BodyHandler | undefined> | BodyHandler | undefined;

export interface ScanTarOptions {
  /** The archive as messages show it. */
  readonly what: string;
  /** Bodies under way at once: one is fed while the tails of others are still being worked on. */
  readonly atOnce: number;
  /** True ends the scan early, without a look at the rest of the archive. */
  readonly isDone?: (() => boolean) | undefined;
  /** Hears the first failure at once: a source that stalls must not hold it up. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a tar from beginning to end by the same grammar as `indexTar`, and hands its files' bodies out as they pass by.
 * Settles when all that was done with them has.
 *
 * @throws ArchiveError as `indexTar`; the first failure of what is done with a body, which stops everything.
 */
export async function scanTar(
  parts: AsyncIterable<Uint8Array>,
  choose: ChooseBody,
  { what, atOnce, isDone, onFailure, signal }: ScanTarOptions,
): Promise<TarWalk> {
  await using feed = new ByteFeed(parts);
  await using jobs = new TaskGroup(atOnce, signal, onFailure);
  const walk = new TarWalk({ what });
  try {
    for (;;) {
      jobs.check();
      const { kind, bytes } = walk.demand;
      if (!(await feed.skipTo(walk.position))) break;
      const chunk = kind === "zeros" ? await feed.some() : await feed.exactly(bytes);
      if (chunk === undefined || chunk.length < bytes) {
        if (walk.position === 0 && chunk !== undefined && !hasMagic(chunk)) throw notATar(chunk, chunk.length, what);
        break;
      }
      const entry = walk.push(chunk);
      if (entry?.type === "file") await passBody(feed, entry, choose, jobs, signal);
      if (isDone?.()) {
        await jobs.ended();
        return walk;
      }
    }
    walk.end(feed.position);
    await jobs.ended();
    return walk;
  } catch (error) {
    jobs.fail(error);
    jobs.check();
    throw error;
  }
}

async function passBody(
  feed: ByteFeed,
  entry: TarEntry,
  choose: ChooseBody,
  jobs: TaskGroup,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = Buffer.from(await feed.exactly(Math.min(BLOCK_BYTES, entry.size)));
  const take = await choose(entry, start, signal ?? new AbortController().signal);
  if (take === undefined) return;
  await jobs.room();
  const once = oneShotBlob(entry.size);
  const working = jobs.start(async own => await take(once.blob, own));
  void working.then(once.leave);
  // Where the archive ends too early, the walk's complaint stops the reader.
  const isWanted = await feedBody(feed, entry, start, once);
  if (isWanted === true) once.end();
  // Its reader has gone: when that was a failure, the rest of a large body must not be waited for.
  if (isWanted !== false) return;
  await working;
  jobs.check();
}

/** @returns false when nobody wants the rest; undefined when the archive ended before the body. */
async function feedBody(
  feed: ByteFeed,
  entry: TarEntry,
  start: Uint8Array,
  once: OneShotBlob,
): Promise<boolean | undefined> {
  const end = entry.bodyOffset + entry.size;
  for (let part: Uint8Array | undefined = start; part !== undefined; part = await feed.some(end - feed.position)) {
    if (!(await once.feed(part))) return false;
    if (feed.position === end) return true;
  }
  return undefined;
}
