import { LayerSpool, type SpoolWriter } from "../../../archive/layer-spool.ts";
import type { BlobSlot } from "../../../archive/write/archive-draft.ts";
import { bytesBlob } from "../../../content/blob.ts";
import type {
  BlobSource,
  ByteSink,
  ImageSource,
  PendingBody,
  PendingStream,
  Seal,
} from "../../../content/contracts.ts";
import { derivedSource } from "../../../content/derived-source.ts";
import { pumpParts } from "../../../content/pump.ts";
import { atEnd } from "../../../copy/copy-ends.ts";
import { InternalError } from "../../../errors.ts";
import type { Digest } from "../../../oci/digest.ts";
import { quote } from "../../../util/format.ts";
import { allEnded } from "../../../util/promises.ts";

/** Layers up to this size stay in memory: most layers of old images are the empty one of 1 KiB. */
export const SMALL_BYTES: number = 64 * 1024;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** The end of a layer, or all of it. */
interface Shelved {
  /** Of its first byte in the layer. */
  readonly start: number;
  readonly bytes: BlobSource;
}

/**
 * What was measured and has no place yet: layers without a slot, and what is too much for a slot. Little stays in memory,
 * the rest is in a temporary file.
 */
export class LayerShelf implements AsyncDisposable {
  readonly #onNote: (message: string) => void;
  readonly #shelved = new Map<Digest, Shelved>();
  #memoryBytes = 0;
  #isAnnounced = false;
  #spool: Promise<LayerSpool> | undefined;

  constructor(onNote: (message: string) => void) {
    this.#onNote = onNote;
  }

  /**
   * Reads a layer to its end.
   *
   * @param slot gets as much of it as fits.
   * @throws StorageError if the temporary file cannot be written.
   */
  async put(
    layer: PendingBody,
    slot?: BlobSlot,
    signal?: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<Seal> {
    const room = slot?.size ?? 0;
    const rest = new Rest(
      async () => await this.#writer(),
      bytes => this.#takeMemory(bytes),
    );
    let stream: PendingStream | undefined;
    let bytes = 0;
    const open = async (stop: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
      stream = await layer.open(stop, onBytes);
      return stream.body;
    };
    const sink: ByteSink = async (chunk, position) => {
      bytes = Math.max(bytes, position + chunk.length);
      const fitting = chunk.subarray(0, Math.max(0, room - position));
      await atEnd("target", async () => {
        // Started first, because it keeps the order of the calls.
        const resting = fitting.length < chunk.length ? rest.write(chunk.subarray(fitting.length)) : undefined;
        await allEnded([fitting.length > 0 ? slot?.write(fitting, position) : undefined, resting]);
      });
    };
    await pumpParts(open, sink, signal);
    if (stream === undefined) throw new InternalError(`Cannot keep ${layer.what}: it was not read`);
    const seal = stream.seal();
    const { digest } = seal.descriptor;
    // Equal layers may have slots of other sizes: what fits the smallest one is enough for all.
    if (bytes <= room || (this.#shelved.get(digest)?.start ?? Infinity) <= room) return seal;
    const kept = rest.end(digest, bytes - room) ?? (await this.#spool)?.find(digest);
    if (kept !== undefined) this.#shelved.set(digest, { start: room, bytes: kept });
    return seal;
  }

  /** Says once that layers are kept in a temporary file, and why. @throws StorageError if it cannot be written. */
  async announce(why: string): Promise<void> {
    const { folder } = await this.#opened();
    if (!this.#isAnnounced) this.#onNote(`Layers are kept in ${quote(folder)} first: ${why}`);
    this.#isAnnounced = true;
  }

  /** The source, with what is on the shelf read from there. */
  over(source: ImageSource): ImageSource {
    return derivedSource(source, {
      blob: async (descriptor, signal) => {
        const shelved = this.#shelved.get(descriptor.digest);
        if (shelved?.start === 0) return shelved.bytes;
        const blob = await source.blob(descriptor, signal);
        return shelved === undefined ? blob : withEnd(blob, shelved);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const spool = await this.#spool?.catch(() => undefined);
    await spool?.[Symbol.asyncDispose]();
  }

  async #writer(): Promise<SpoolWriter> {
    await this.announce("they are larger than the registry says");
    return (await this.#opened()).writer();
  }

  async #opened(): Promise<LayerSpool> {
    this.#spool ??= LayerSpool.create();
    return await this.#spool;
  }

  #takeMemory(bytes: number): boolean {
    if (this.#memoryBytes + bytes > MAX_MEMORY_BYTES) return false;
    this.#memoryBytes += bytes;
    return true;
  }
}

/** Collects bytes: a few in memory; with more than that, all go to the temporary file. */
class Rest {
  readonly #open: () => Promise<SpoolWriter>;
  readonly #takeMemory: (bytes: number) => boolean;
  #parts: Buffer[] = [];
  #bytes = 0;
  #writer: SpoolWriter | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<SpoolWriter>, takeMemory: (bytes: number) => boolean) {
    this.#open = open;
    this.#takeMemory = takeMemory;
  }

  /** Keeps the order of the calls. */
  async write(part: Uint8Array): Promise<void> {
    this.#last = this.#last.then(async () => await this.#writeNext(part));
    await this.#last;
  }

  async #writeNext(part: Uint8Array): Promise<void> {
    if (this.#writer === undefined && this.#bytes + part.length <= SMALL_BYTES && this.#takeMemory(part.length)) {
      this.#parts.push(Buffer.from(part));
      this.#bytes += part.length;
      return;
    }
    this.#writer ??= await this.#open();
    for (const earlier of this.#parts.splice(0)) await this.#writer.write(earlier);
    this.#takeMemory(-this.#bytes);
    this.#bytes = 0;
    await this.#writer.write(part);
  }

  /** @returns the bytes, if they are in memory. */
  end(digest: Digest, size: number): BlobSource | undefined {
    if (this.#writer === undefined) return bytesBlob(Buffer.concat(this.#parts));
    this.#writer.end({ digest, size });
    return undefined;
  }
}

/** A blob whose end need not be read from its source. */
function withEnd(blob: BlobSource, { start, bytes }: Shelved): BlobSource {
  return {
    ...blob,
    size: blob.size,
    open: async (range, signal) =>
      range !== undefined && range.start >= start
        ? await bytes.open({ start: range.start - start, end: range.end - start }, signal)
        : await blob.open(range, signal),
  };
}
