import { Readable } from "node:stream";
import type { BlobReader, BlobSource, ByteRange, ByteSink } from "./contracts.ts";
import { pumpFilled } from "./pump.ts";

/** Some bytes of a blob. */
export interface BlobSegment {
  readonly source: BlobSource;
  /** Default: all bytes of `source`. */
  readonly range?: ByteRange;
}

/** A blob whose bytes come from several others, one after the other. Verifying the result shows whether they belong together. */
export function joinedBlob(segments: readonly BlobSegment[]): BlobSource {
  const placed = placedSegments(segments);
  const size = placed.at(-1)?.end ?? 0;
  return {
    size,
    async open(range = { start: 0, end: size }, signal) {
      signal?.throwIfAborted();
      const wanted = placed.flatMap(segment => cut(segment, range) ?? []);
      return Readable.from(partsOf(wanted, signal), { objectMode: false });
    },
    // Without `pump`, the stream is cut into chunks: a part that ends within one does not make it short.
    ...(segments.every(({ source }) => source.reader !== undefined) && {
      reader: async () => await joinedReader(placed),
      async pump(sink: ByteSink, signal?: AbortSignal) {
        await using reader = await joinedReader(placed);
        await pumpFilled(size, async (part, position) => await reader.fill(part, position), sink, signal);
      },
    }),
  };
}

/**
 * A blob with some of its bytes replaced. Replaced bytes of `whole` are never read: they may be unreadable.
 *
 * @param pieces by their first byte in the blob, which do not overlap and end with the blob at the latest.
 */
export function patchedBlob(whole: BlobSource, pieces: ReadonlyMap<number, BlobSource>): BlobSource {
  const segments: BlobSegment[] = [];
  let position = 0;
  for (const [from, piece] of [...pieces].sort(([left], [right]) => left - right)) {
    if (from > position) segments.push({ source: whole, range: { start: position, end: from } });
    segments.push({ source: piece });
    position = from + piece.size;
  }
  if (whole.size > position) segments.push({ source: whole, range: { start: position, end: whole.size } });
  return joinedBlob(segments);
}

interface PlacedSegment {
  readonly source: BlobSource;
  /** First byte of it in `source`. */
  readonly from: number;
  /** In the joined blob. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

function placedSegments(segments: readonly BlobSegment[]): readonly PlacedSegment[] {
  let start = 0;
  return segments.map(({ source, range = { start: 0, end: source.size } }) => {
    const placed = { source, from: range.start, start, end: start + range.end - range.start };
    start = placed.end;
    return placed;
  });
}

async function joinedReader(placed: readonly PlacedSegment[]): Promise<BlobReader> {
  const parts: (PlacedSegment & { readonly reader: BlobReader })[] = [];
  const close = async (): Promise<void> => {
    for (const { reader } of parts) await reader[Symbol.asyncDispose]();
  };
  try {
    for (const segment of placed) {
      const reader = await segment.source.reader?.();
      if (reader !== undefined) parts.push({ ...segment, reader });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    extents: parts.flatMap(({ reader, from, start, end }) =>
      reader.extents.flatMap(extent => {
        const first = Math.max(start, extent.start - from + start);
        const last = Math.min(end, extent.end - from + start);
        return first < last ? [{ start: first, end: last, file: extent.file }] : [];
      }),
    ),
    async fill(into, position) {
      for (const { reader, from, start, end } of parts) {
        const first = Math.max(start, position);
        const last = Math.min(end, position + into.length);
        if (first < last) await reader.fill(into.subarray(first - position, last - position), first - start + from);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

function cut(segment: PlacedSegment, range: ByteRange): PlacedSegment | undefined {
  const start = Math.max(segment.start, range.start);
  const end = Math.min(segment.end, range.end);
  return start < end ? { source: segment.source, from: segment.from + start - segment.start, start, end } : undefined;
}

async function* partsOf(segments: readonly PlacedSegment[], signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for (const { source, from, start, end } of segments) {
    const isWhole = from === 0 && end - start === source.size;
    const stream = await source.open(isWhole ? undefined : { start: from, end: from + end - start }, signal);
    yield* stream as AsyncIterable<Uint8Array>;
  }
}
