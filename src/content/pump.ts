import { addAbortSignal } from "node:stream";
import { IntegrityError } from "../errors.ts";
import { ChunkFiller } from "./chunk-filler.ts";
import type { BlobSource, ByteSink } from "./contracts.ts";
import { createFlow } from "./flow.ts";

/**
 * Sends a whole blob to `sink` in pooled chunks, every one but the last CHUNK_BYTES long, whichever power the source
 * has. Several chunks are under way at once.
 */
export async function pumpBlob(source: BlobSource, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  if (source.pump !== undefined) return await source.pump(sink, signal);
  const flow = createFlow(sink, signal);
  const filler = new ChunkFiller(flow);
  try {
    const stream = await source.open(undefined, flow.signal);
    // A source that stalls must not hold up the failure of its sink.
    addAbortSignal(flow.signal, stream);
    for await (const part of stream as AsyncIterable<Uint8Array>) await filler.take(part);
    filler.end();
  } catch (error) {
    filler.rewind();
    flow.fail(error);
  }
  await flow.settled();
}

/**
 * The whole blob in memory.
 * @throws IntegrityError when more than `limit` bytes come.
 */
export async function readBlob(source: BlobSource, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
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
