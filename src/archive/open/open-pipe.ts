import { addAbortSignal, Readable } from "node:stream";
import { decompress } from "../../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { ImgpackError, InternalError, StorageError, UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { storageState } from "../../util/system-fault.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";
import type { ReadCount } from "./read-count.ts";
import type { ScanOptions } from "./streamed-archive.ts";

/** Reads the first bytes of a pipe, which show how it is compressed. @param path `-` for stdin. */
export async function openPipe(
  path: string,
  pipe: Readable,
  { onNote, signal }: OpenArchiveOptions,
  count: ReadCount,
  file?: AsyncDisposable,
): Promise<ScanOptions> {
  const what = path === "-" ? "archive on stdin" : `archive ${quote(path)}`;
  // The reader of the pipe gets every error; one after its end does not matter.
  pipe.on("error", () => undefined);
  // The writer may wait for ever.
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
      if (isOpened) throw new InternalError(`Cannot read ${what} again: it is a pipe`);
      isOpened = true;
      if (own !== undefined) addAbortSignal(own, pipe);
      const counted = count.of(whole());
      if (compression === undefined) return counted;
      return decompress(Readable.from(counted, { objectMode: false }), compression, what, own);
    },
    isReopenable: false,
    file,
    onNote,
    signal,
  };
}

async function* partsOf(pipe: Readable, what: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of pipe as AsyncIterable<unknown>) {
      if (!(part instanceof Uint8Array)) throw notBytes(what);
      yield part;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    // The reader of an engine says what is wrong itself.
    if (cause instanceof ImgpackError) throw cause;
    throw new StorageError(`Cannot read ${what}: ${storageState(cause)}, expected bytes until its end`, {
      cause,
      hint: "The program that writes the archive failed: look at its messages, and run it again.",
    });
  }
}

/** A caller's stream may decode its bytes, or have objects in it. */
function notBytes(what: string): UsageError {
  return new UsageError(`Cannot read ${what}: found a stream of text or objects, expected bytes`, {
    hint: "Pass a stream without an encoding, such as process.stdin as it is.",
  });
}
