import type { BlobSource, PendingBody } from "../content/contracts.ts";
import { pumpBlob } from "../content/pump.ts";
import { ImgpackError } from "../errors.ts";

type End = "source" | "target";

/** Runs a task of one end; sets the origin of its errors, unless they have one. */
export async function atEnd<T>(end: End, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw ofEnd(end, error);
  }
}

/** Counts pumped bytes only: targets pump. */
export function countedBlob(blob: BlobSource, onBytes: (delta: number) => void): BlobSource {
  const attempt = onceEach(onBytes);
  return {
    size: blob.size,
    isOneShot: blob.isOneShot ?? false,
    open: async (range, signal) => await atEnd("source", async () => await blob.open(range, signal)),
    async pump(sink, signal) {
      const count = attempt();
      await atEnd("source", async () => {
        await pumpBlob(
          blob,
          async (chunk, position) => {
            await atEnd("target", async () => await sink(chunk, position));
            count(chunk.length);
          },
          signal,
        );
      });
    },
  };
}

/** Errors while the layer is read, checked and compressed belong to the source. */
export function countedPending(pending: PendingBody, from?: BlobSource): PendingBody {
  let attempt: (() => (bytes: number) => void) | undefined;
  return {
    ...pending,
    isOneShot: from?.isOneShot ?? pending.isOneShot ?? false,
    async open(signal, onBytes) {
      attempt ??= onceEach(onBytes ?? (() => undefined));
      const count = attempt();
      const stream = await atEnd("source", async () => await pending.open(signal, count, from));
      return { body: partsOf(stream.body), seal: () => stream.seal() };
    },
  };
}

async function* partsOf(body: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    throw ofEnd("source", error);
  }
}

/** Counts every byte once, however often a transfer starts over. */
function onceEach(onBytes: (delta: number) => void): () => (bytes: number) => void {
  let counted = 0;
  return () => {
    let seen = 0;
    return bytes => {
      seen += bytes;
      if (seen <= counted) return;
      onBytes(seen - counted);
      counted = seen;
    };
  };
}

function ofEnd(end: End, error: unknown): unknown {
  if (error instanceof ImgpackError) error.origin ??= end;
  return error;
}
