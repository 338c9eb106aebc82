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

/** Between two reports about parts of a chunk: a fast transfer has none. */
const PART_MS = 100;

/**
 * Counts pumped bytes only: targets pump. Where a chunk takes long, the bytes of it that have come or gone count at once.
 *
 * @param watched the medium that the bytes come from, under what checks them.
 */
export function countedBlob(
  blob: BlobSource,
  onBytes: (delta: number) => void,
  watched?: BlobSource,
  now: () => number = () => performance.now(),
): BlobSource {
  const { attempt, upTo } = onceEach(onBytes);
  let countedMs = now();
  const onPart = (bytes: number): void => {
    if (now() - countedMs < PART_MS) return;
    countedMs = now();
    upTo(bytes);
  };
  watched?.watch?.(onPart);
  return {
    size: blob.size,
    isOneShot: blob.isOneShot ?? false,
    onSent: onPart,
    open: async (range, signal) => await atEnd("source", async () => await blob.open(range, signal)),
    async pump(sink, signal) {
      const count = attempt();
      await atEnd("source", async () => {
        await pumpBlob(
          blob,
          async (chunk, position) => {
            await atEnd("target", async () => await sink(chunk, position));
            count(chunk.length);
            countedMs = now();
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
      attempt ??= onceEach(onBytes ?? (() => undefined)).attempt;
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

/** Counts every byte once, however often a transfer starts over, and whichever end of it reports more. */
function onceEach(onBytes: (delta: number) => void): {
  readonly attempt: () => (bytes: number) => void;
  readonly upTo: (position: number) => void;
} {
  let counted = 0;
  const upTo = (position: number): void => {
    if (position <= counted) return;
    const before = counted;
    counted = position;
    onBytes(position - before);
  };
  return {
    upTo,
    attempt: () => {
      let seen = 0;
      return bytes => {
        seen += bytes;
        upTo(seen);
      };
    },
  };
}

function ofEnd(end: End, error: unknown): unknown {
  if (error instanceof ImgpackError) error.origin ??= end;
  return error;
}
