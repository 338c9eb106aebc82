import { Readable } from "node:stream";
import { decompress } from "../compress/decompress.ts";
import { type Compression, detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import type { BlobSource } from "../content/contracts.ts";

export interface InflateOptions {
  /** "detect" looks at the first bytes, and leaves uncompressed ones as they are. */
  readonly compression: Compression | "detect";
  /** As messages name it. */
  readonly what: string;
  /**
   * Maximum ratio of inflated to compressed size (default none): a genuine layer of zeros shrinks 1030 times, and inflated
   * bytes are only hashed, or compressed again.
   */
  readonly ratioLimit?: number | undefined;
  /** Is called with the number of compressed bytes that were read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** The inflated bytes of a blob, without ranges. Its `size` is that of the compressed bytes, which are fewer. */
export function inflatedBlob(blob: BlobSource, options: InflateOptions): BlobSource {
  return {
    size: blob.size,
    isOneShot: blob.isOneShot ?? false,
    async open(_range, signal) {
      const stream = await blob.open(undefined, signal);
      const parts = Readable.from(inflate(stream, options, signal), { objectMode: false });
      // A generator that never started would not close it.
      return parts.once("close", () => stream.destroy());
    },
  };
}

async function* inflate(
  stream: Readable,
  { compression: announced, what, ratioLimit = Number.POSITIVE_INFINITY, onBytes }: InflateOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const parts = counted(stream, onBytes);
  let start = Buffer.alloc(0);
  while (announced === "detect" && start.length < MAGIC_BYTES) {
    const next = await parts.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const compression = announced === "detect" ? detectCompression(start.subarray(0, MAGIC_BYTES)) : announced;
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (start.length > 0) yield start;
    yield* parts;
  }
  if (compression === undefined) yield* whole();
  else yield* decompress(Readable.from(whole(), { objectMode: false }), compression, what, signal, ratioLimit);
}

async function* counted(stream: Readable, onBytes: InflateOptions["onBytes"]): AsyncGenerator<Uint8Array> {
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    onBytes?.(part.length);
    yield part;
  }
}
