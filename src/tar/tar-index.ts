import { ArchiveError } from "../errors.ts";
import { BLOCK_BYTES, hasMagic } from "./header.ts";
import { notATar } from "./looks-like.ts";
import { ReadWindow, type TarFile } from "./read-window.ts";
import { resolveEntry } from "./resolve-entry.ts";
import type { TarEntry } from "./tar-entry.ts";
import { TarWalk, type TarWarning } from "./tar-walk.ts";

export interface TarIndex {
  /** By cleaned name, in file order. */
  readonly entries: ReadonlyMap<string, TarEntry>;
  /** Unusual things that do not change the meaning of the archive, such as a missing end marker. */
  readonly warnings: readonly TarWarning[];
  /** Follows links inside the archive to a file. @throws ArchiveError on a cycle, an escape, more than 8 hops. */
  resolve(name: string): TarEntry;
}

export interface IndexTarOptions {
  readonly signal?: AbortSignal | undefined;
  /** The archive as messages show it, for example `archive "app.tar"`. */
  readonly what?: string | undefined;
}

/** Larger bodies of repeated entries count as different. */
const MAX_COMPARE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * Walks an uncompressed archive by its headers. Bodies are skipped, so the time depends on the number of entries, not on
 * their sizes; all zeros after the end marker are read.
 *
 * @throws ArchiveError with the broken rule as its reason (security-cases section 7); honest files can be "not-a-tar" or
 * "truncated" only.
 */
export async function indexTar(file: TarFile, options: IndexTarOptions = {}): Promise<TarIndex> {
  const { signal, what = "the archive" } = options;
  const window = new ReadWindow(file, what, signal);
  if (file.size < BLOCK_BYTES) {
    const bytes = await window.bytes(0, file.size);
    if (!hasMagic(bytes)) throw notATar(bytes, file.size, what);
  }
  const walk = new TarWalk({ what, size: file.size });
  try {
    await walkFile(walk, window, file.size);
  } catch (error) {
    throw await namedRepeat(error, walk, window);
  }
  const { entries, warnings } = walk;
  return { entries, warnings, resolve: name => resolveEntry(entries, name, what) };
}

async function walkFile(walk: TarWalk, window: ReadWindow, size: number): Promise<void> {
  for (;;) {
    const { kind, bytes } = walk.demand;
    const left = size - walk.position;
    const wanted = kind === "zeros" ? Math.min(left, CHUNK_BYTES) : bytes;
    if (left < wanted || left <= 0) break;
    // A promise per header would cost more than the header, and most headers are in the window already.
    walk.push(window.peek(walk.position, wanted) ?? (await window.bytes(walk.position, wanted)));
  }
  walk.end(size);
}

/** A repeated entry with the same bytes gets a reason of its own: it cannot mislead a reader. */
async function namedRepeat(error: unknown, walk: TarWalk, window: ReadWindow): Promise<unknown> {
  if (!(error instanceof ArchiveError) || walk.repeated === undefined) return error;
  const { first, second } = walk.repeated;
  if (first.size !== second.size || first.size > MAX_COMPARE_BYTES) return error;
  for (let at = -BLOCK_BYTES; at < first.size; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, first.size - at);
    const expected = Buffer.from(await window.bytes(first.bodyOffset + at, length));
    if (!expected.equals(await window.bytes(second.bodyOffset + at, length))) return error;
  }
  return new ArchiveError("duplicate-identical", error.message, { hint: error.hint, cause: error });
}
