import { addAbortSignal, Readable } from "node:stream";
import { IntegrityError } from "../errors.ts";
import { ChunkFiller } from "./chunks/chunk-filler.ts";
import { CHUNK_BYTES, sharedChunks } from "./chunks/chunks.ts";
import { createFlow } from "./chunks/flow.ts";
import type { BlobSource, ByteRange, ByteSink } from "./contracts.ts";

/**
 * Sends a whole blob to `sink` in pooled chunks, each of CHUNK_BYTES except the last one, whether the source can pump or
 * not. Several chunks are sent at once.
 */
export async function pumpBlob(source: BlobSource, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  if (source.pump === undefined) await pumpOpened(source, undefined, sink, signal);
  else await source.pump(sink, signal);
}

/**
 * A blob whose first bytes are local already: `prefix`, then the rest of `whole`. Verifying the result shows whether they
 * belong together. The last chunk of `prefix` may be short, too.
 */
export function spliced(prefix: BlobSource, whole: BlobSource): BlobSource {
  const { size } = whole;
  const rest = { start: prefix.size, end: size };
  return {
    size,
    async open(range = { start: 0, end: size }, signal) {
      if (range.start >= rest.start) return await whole.open(range, signal);
      const first = await prefix.open({ start: range.start, end: Math.min(range.end, rest.start) }, signal);
      async function* parts(): AsyncGenerator<Uint8Array> {
        yield* first as AsyncIterable<Uint8Array>;
        if (range.end > rest.start) yield* await whole.open({ start: rest.start, end: range.end }, signal);
      }
      return Readable.from(parts(), { objectMode: false });
    },
    async pump(sink, signal) {
      await pumpBlob(prefix, sink, signal);
      const restSink: ByteSink = async (chunk, position) => await sink(chunk, rest.start + position);
      if (whole.pumpFrom === undefined) await pumpOpened(whole, rest, restSink, signal);
      else await whole.pumpFrom(rest.start, restSink, signal);
    },
  };
}

async function pumpOpened(
  source: BlobSource,
  range: ByteRange | undefined,
  sink: ByteSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const open = async (stop: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
    const stream = await source.open(range, stop);
    // A source that stalls must not delay the failure of its sink.
    return addAbortSignal(stop, stream) as AsyncIterable<Uint8Array>;
  };
  await pumpParts(open, sink, signal);
}

/** Sends parts of any size to a sink in chunks, several at once. Each part is valid until the next one is requested. */
export async function pumpParts(
  open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  const flow = createFlow(sink, signal);
  const filler = new ChunkFiller(flow);
  try {
    for await (const part of await open(flow.signal)) await filler.take(part);
    filler.end();
  } catch (error) {
    filler.rewind();
    flow.fail(error);
  }
  await flow.settled();
}

/** Sends `size` bytes, which `fill` puts into each chunk, to a sink; several chunks at once. */
export async function pumpFilled(
  size: number,
  fill: (part: Uint8Array, position: number) => Promise<void>,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  const flow = createFlow(sink, signal);
  try {
    for (let position = 0; position < size; position += CHUNK_BYTES) {
      const chunk = await flow.acquire();
      const part = chunk.subarray(0, Math.min(CHUNK_BYTES, size - position));
      try {
        await fill(part, position);
      } catch (error) {
        sharedChunks.release(chunk);
        throw error;
      }
      flow.hand(chunk, part, position);
    }
  } catch (error) {
    flow.fail(error);
  }
  await flow.settled();
}

/** Sends bytes that are no more than one chunk, in a chunk of the pool: sinks use the memory next to it. */
export async function pumpBytes(bytes: Uint8Array, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  if (bytes.length === 0) return;
  const chunk = sharedChunks.tryAcquire() ?? (await sharedChunks.acquire(signal));
  try {
    const part = chunk.subarray(0, bytes.length);
    part.set(bytes);
    await sink(part, 0);
  } finally {
    sharedChunks.release(chunk);
  }
}

/**
 * The whole blob in memory.
 * @throws IntegrityError if it has more than `limit` bytes.
 */
export async function readBlob(source: BlobSource, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
  // A stream per document costs more than the document.
  if (source.whole !== undefined && source.size <= limit) return await source.whole(signal);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (await source.open(undefined, signal)) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > limit) {
      throw new IntegrityError(`Cannot read blob: more than ${limit} bytes came, expected at most that many`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}
