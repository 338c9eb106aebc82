import { LayerSpool } from "../../../archive/layer-spool.ts";
import { bytesBlob } from "../../../content/blob.ts";
import type { BlobSource, PendingBody, Seal } from "../../../content/contracts.ts";
import type { Digest } from "../../../oci/digest.ts";
import { quote } from "../../../util/format.ts";

/** Layers up to this size stay in memory: most layers of old images are the empty one of 1 KiB. */
export const SMALL_BYTES: number = 64 * 1024;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** Layers that were measured, until the archive that needs them knows where they belong. */
export class LayerShelf implements AsyncDisposable {
  readonly #onNote: (message: string) => void;
  readonly #small = new Map<Digest, Uint8Array>();
  #smallBytes = 0;
  #spool: Promise<LayerSpool> | undefined;
  readonly #spooled = new Map<Digest, BlobSource>();

  constructor(onNote: (message: string) => void) {
    this.#onNote = onNote;
  }

  /** Reads a layer to its end. What is more than fits in memory is fetched again when it is needed. */
  async putSmall(layer: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    const stream = await layer.open(signal, onBytes);
    let parts: Buffer[] | undefined = [];
    let bytes = 0;
    for await (const part of stream.body) {
      bytes += part.length;
      // The size in the JSON is a hint, which may be wrong.
      if (this.#smallBytes + bytes > MAX_MEMORY_BYTES) parts = undefined;
      parts?.push(Buffer.from(part));
    }
    const seal = stream.seal();
    const { digest } = seal.descriptor;
    if (parts === undefined || this.#small.has(digest)) return seal;
    this.#small.set(digest, Buffer.concat(parts));
    this.#smallBytes += bytes;
    return seal;
  }

  /** Reads a layer into a temporary file. @throws StorageError if that cannot be written. */
  async putSpooled(layer: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    this.#spool ??= LayerSpool.create();
    const spool = await this.#spool;
    const seal = await spool.putPending(layer, signal, onBytes);
    const blob = spool.find(seal.descriptor.digest);
    if (blob !== undefined) this.#spooled.set(seal.descriptor.digest, blob);
    return seal;
  }

  /** Says once that layers are kept in a temporary file, and why. */
  async announce(why: string): Promise<void> {
    this.#spool ??= LayerSpool.create();
    const { folder } = await this.#spool;
    this.#onNote(`Layers are kept in ${quote(folder)} first: ${why}`);
  }

  find(digest: Digest): BlobSource | undefined {
    const bytes = this.#small.get(digest);
    return bytes === undefined ? this.#spooled.get(digest) : bytesBlob(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const spool = await this.#spool?.catch(() => undefined);
    await spool?.[Symbol.asyncDispose]();
  }
}
