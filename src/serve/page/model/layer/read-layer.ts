import { decompress } from "../../../../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../../../../compress/detect.ts";
import { ArchiveError } from "../../../../errors.ts";
import { EntryLister, type ListedEnd } from "../../../../tar/entry-lister.ts";
import { type LayerListing, type ListingGap, MAX_READING_MS, MAX_UNPACKED_BYTES } from "./layer-listing.ts";
import { ListingBuilder } from "./listing-builder.ts";
import { StoredBytes } from "./stored-bytes.ts";

export interface ReadLayerOptions {
  /** Stops the reading; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that only rises. Default: that of the system; for tests. */
  readonly now?: (() => number) | undefined;
  /** Default MAX_UNPACKED_BYTES; for tests. */
  readonly maxBytes?: number | undefined;
}

/**
 * Lists a layer while its bytes pass: gzip, zstd, xz, bzip2 or none, by the first bytes. Nothing is kept but the list. A
 * layer that was made malformed gives the entries before that, and says so.
 *
 * @param chunks the bytes of the whole layer, each part valid until the one after the next is requested. They are read to
 *   their end, where a wrong digest is found, unless the layer is too large.
 * @throws what `chunks` throws, if the bytes are not those of the layer; the reason of `signal`.
 */
export async function readLayer(
  chunks: AsyncIterable<Uint8Array>,
  { signal, now = () => performance.now(), maxBytes = MAX_UNPACKED_BYTES }: ReadLayerOptions,
): Promise<LayerListing> {
  const stored = new StoredBytes(chunks);
  const builder = new ListingBuilder();
  const lister = new EntryLister(entry => builder.add(entry));
  const deadline = now() + MAX_READING_MS;
  const isInTime = (): boolean => {
    signal.throwIfAborted();
    return now() <= deadline;
  };
  try {
    const stopped = await list(inflated(stored, signal), lister, () => {
      if (lister.seen > maxBytes) return { kind: "too-large" };
      return isInTime() ? undefined : { kind: "too-slow" };
    });
    stored.throwFault();
    if (stopped?.kind === "too-large" || stopped?.kind === "too-slow") return builder.build(stopped);
    const isWhole = await stored.drain(isInTime);
    stored.throwFault();
    return builder.build(isWhole ? (stopped ?? gapAt(lister.end(), lister.seen)) : { kind: "too-slow" });
  } catch (error) {
    signal.throwIfAborted();
    stored.throwFault();
    throw error;
  } finally {
    await stored.close();
  }
}

/** @returns why it ended before the end of the bytes, if it did. */
async function list(
  parts: AsyncIterable<Uint8Array>,
  lister: EntryLister,
  gapNow: () => ListingGap | undefined,
): Promise<ListingGap | undefined> {
  try {
    for await (const part of parts) {
      lister.take(part);
      const gap = gapNow();
      if (gap !== undefined) return gap;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { kind: error.reason === "inflation-ratio" ? "bomb" : "malformed", found: error.message };
  }
}

async function* inflated(stored: StoredBytes, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const compression = detectCompression(await stored.peek(MAGIC_BYTES));
  if (compression !== undefined) {
    yield* decompress(stored.readable(), compression, "the layer", signal);
    return;
  }
  for (let part = await stored.next(); part !== undefined; part = await stored.next()) yield part;
}

function gapAt(end: ListedEnd, seen: number): ListingGap | undefined {
  switch (end) {
    case "end":
      return undefined;
    case "not-a-tar":
      return { kind: "not-a-tar" };
    case "cut":
      return { kind: "malformed", found: `the tar ends at byte ${seen} in the middle of an entry` };
    case "not-a-header":
      return { kind: "malformed", found: "a block between two entries is no header of a tar" };
    case "extension-too-long":
      return { kind: "malformed", found: "an extension header has more than 1 MiB" };
  }
}
