import type { Readable } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import { errorCode } from "../../util/error-code.ts";
import { checkRatio, damaged, MAX_PADDING_BYTES, RATIO_LIMIT, truncated, type Wording } from "../compressed-data.ts";

const WORDS: Wording = { format: "gzip", unit: "member" };

/**
 * Inflates a gzip stream of one or more members; zeros may follow the last one.
 *
 * @param what names the stream in messages.
 * @throws ArchiveError "truncated-gzip", "damaged-gzip", or "inflation-ratio" past 1000:1 (security case Z-01).
 */
export async function* gunzip(
  source: Readable,
  what: string,
  signal?: AbortSignal,
  ratioLimit: number = RATIO_LIMIT,
): AsyncGenerator<Uint8Array, void> {
  const inflate = createGunzip({ chunkSize: 256 * 1024 });
  // The iterator reports errors to its reader; an error after the reader has stopped must not end the process.
  inflate.on("error", () => undefined);
  const feeder = new Feeder(source, inflate, what);
  const feeding = feeder.run();
  feeding.catch(error => inflate.destroy(error));
  const onAbort = (): void => void inflate.destroy(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  let written = 0;
  try {
    // Not destroyed at its end: the bytes after the last member are still to be checked.
    for await (const part of inflate.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      written += part.length;
      checkRatio(feeder.read, written, ratioLimit, what);
      yield part;
    }
    await feeding;
  } catch (error) {
    throw translate(error, what, feeder.read);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    inflate.destroy();
    source.destroy();
  }
}

/** Feeds the decoder. Node ignores all bytes after a zero that follows a member, so these are checked here. */
class Feeder {
  /** Bytes taken from the source. */
  read = 0;
  readonly #source: Readable;
  readonly #inflate: Gunzip;
  readonly #what: string;
  #wake: () => void = () => undefined;
  #padding = 0;

  constructor(source: Readable, inflate: Gunzip, what: string) {
    this.#source = source;
    this.#inflate = inflate;
    this.#what = what;
    // The callback of a write is not called if the data ended before it.
    inflate.once("end", () => this.#wake());
    inflate.once("close", () => this.#wake());
  }

  async run(): Promise<void> {
    for await (const part of this.#source as AsyncIterable<Uint8Array>) {
      const start = this.read;
      this.read += part.length;
      if (this.#padding === 0) await this.#write(part);
      if (this.#inflate.destroyed) return;
      const rest = part.subarray(Math.max(0, this.#inflate.bytesWritten - start));
      this.#padding += rest.length;
      if (this.#padding > MAX_PADDING_BYTES || rest.some(byte => byte !== 0))
        throw damaged(WORDS, this.#what, this.read);
    }
    this.#inflate.end();
  }

  async #write(part: Uint8Array): Promise<void> {
    await new Promise<void>(resolve => {
      this.#wake = resolve;
      this.#inflate.write(part, () => resolve());
    });
  }
}

function translate(error: unknown, what: string, read: number): unknown {
  const code = errorCode(error);
  if (code === "Z_BUF_ERROR") return truncated(WORDS, what, read, error);
  return code.startsWith("Z_") ? damaged(WORDS, what, read, error) : error;
}
