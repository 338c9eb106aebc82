import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { ByteReader } from "./byte-reader.ts";
import { checkRatio, RATIO_LIMIT, type Wording } from "./compressed-data.ts";

/** Decoded bytes after which other work can run: decoding occupies the thread. */
const TURN_BYTES = 4 * 1024 * 1024;

/** Decodes one unit. Every part that it yields has its own memory. */
export type UnitDecoder = (input: ByteReader) => AsyncGenerator<Uint8Array, void>;

export interface DecodeOptions {
  /** Names the stream in messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** @default 1000 */
  readonly ratioLimit?: number | undefined;
}

/** The common part of our decoders: decodes unit after unit, checks the ratio, and ends the source. */
export async function* decodeUnits(
  source: Readable,
  words: Wording,
  decode: UnitDecoder,
  { what, signal, ratioLimit = RATIO_LIMIT }: DecodeOptions,
): AsyncGenerator<Uint8Array, void> {
  const input = new ByteReader(source, words, what);
  // An abort destroys the source, and its error must not end the process while no one reads.
  source.on("error", () => undefined);
  const onAbort = (): void => void source.destroy(new Error("aborted", { cause: signal?.reason }));
  signal?.addEventListener("abort", onAbort, { once: true });
  let written = 0;
  let turnAt = TURN_BYTES;
  try {
    signal?.throwIfAborted();
    do {
      for await (const part of decode(input)) {
        written += part.length;
        checkRatio(input.position, written, ratioLimit, what);
        yield part;
        if (written >= turnAt) {
          turnAt = written + TURN_BYTES;
          await setImmediate();
        }
        signal?.throwIfAborted();
      }
    } while (await input.hasMore());
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    source.destroy();
  }
}
