import { addAbortSignal, Readable } from "node:stream";
import { decompress } from "../../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { InternalError, StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";
import type { ScanOptions } from "./streamed-archive.ts";

/** How a pipe is read: once. Its first bytes tell how it is compressed. @param path `-` for stdin. */
export async function pipeScan(
  path: string,
  pipe: Readable,
  { onNote, signal }: OpenArchiveOptions,
  file?: AsyncDisposable,
): Promise<ScanOptions> {
  const what = path === "-" ? "archive on stdin" : `archive ${quote(path)}`;
  // Its reader hears of every fault; one that comes when the reader has left concerns nobody.
  pipe.on("error", () => undefined);
  // Whoever writes into it may wait for ever.
  if (signal !== undefined) addAbortSignal(signal, pipe);
  const parts = partsOf(pipe, what, signal);
  const start: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < MAGIC_BYTES) {
    const { done, value } = await parts.next();
    if (done) break;
    start.push(value);
    bytes += value.length;
  }
  const compression = detectCompression(Buffer.concat(start).subarray(0, MAGIC_BYTES));
  let isOpened = false;
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* start.splice(0);
      for (let next = await parts.next(); !next.done; next = await parts.next()) {
        bytes += next.value.length;
        yield next.value;
      }
    } finally {
      pipe.destroy();
    }
  }
  return {
    path,
    fileBytes: () => bytes,
    compression: compression ?? "none",
    async open(own) {
      if (isOpened) throw new InternalError(`Cannot read ${what} again: it has passed by`);
      isOpened = true;
      if (own !== undefined) addAbortSignal(own, pipe);
      if (compression === undefined) return whole();
      return decompress(Readable.from(whole(), { objectMode: false }), compression, what, own);
    },
    isReopenable: false,
    file,
    onNote,
    signal,
  };
}

async function* partsOf(pipe: Readable, what: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* pipe as AsyncIterable<Uint8Array>;
  } catch (cause) {
    signal?.throwIfAborted();
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new StorageError(`Cannot read ${what}: ${code}, expected bytes until its end`, {
      cause,
      hint: "Whatever writes the archive failed: look at its messages, and run it again.",
    });
  }
}
