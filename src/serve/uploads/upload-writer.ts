import type { BlobHash } from "../../content/blob-hash.ts";
import type { DiskFile } from "../../util/disk.ts";

const CHUNK_BYTES = 256 * 1024;
const CHUNKS = 4;
// Syncing while bytes still arrive leaves little to sync at the end, when the client waits.
const SYNC_BYTES = 32 * 1024 * 1024;
// A sync uses one of the four threads that all file access shares.
const MAX_SYNCS = 2;
let syncs = 0;

interface Slot {
  readonly chunk: Uint8Array;
  /** Settles when the chunk may be filled again. */
  freed: Promise<void>;
}

/** Collects bytes into chunks; each is written and hashed at the same time. Memory: 4 chunks of 256 KiB. */
export class UploadWriter {
  readonly #file: DiskFile;
  readonly #hash: BlobHash;
  readonly #chunkBytes: number;
  readonly #onStored: (bytes: number) => void;
  readonly #slots: Slot[] = [];
  #position: number;
  #turn = 0;
  #filled = 0;
  #stored: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #unsynced = 0;
  #synced: Promise<void> = Promise.resolve();

  /** @param expectedBytes of this body, for smaller chunks; `onStored` is called in the order of the bytes */
  constructor(
    file: DiskFile,
    hash: BlobHash,
    position: number,
    expectedBytes: number,
    onStored: (bytes: number) => void,
  ) {
    this.#file = file;
    this.#hash = hash;
    this.#position = position;
    this.#chunkBytes = Math.min(CHUNK_BYTES, expectedBytes);
    this.#onStored = onStored;
  }

  /** Copies `bytes`; waits while all chunks are in use. @throws the error of a chunk that could not be written */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    for (let rest = bytes; rest.length > 0; ) {
      const slot = this.#slot();
      if (this.#filled === 0) await slot.freed;
      const part = rest.subarray(0, this.#chunkBytes - this.#filled);
      slot.chunk.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#chunkBytes) this.#flush();
    }
  }

  /** Settles after all writing has ended. @throws the first error */
  async end(): Promise<void> {
    if (this.#filled > 0) this.#flush();
    await Promise.allSettled([...this.#slots.map(({ freed }) => freed), this.#synced]);
    await Promise.all([this.#stored, this.#synced]);
  }

  #slot(): Slot {
    // Shared, because the hash may run in another thread.
    const slot = this.#slots[this.#turn] ?? {
      chunk: new Uint8Array(new SharedArrayBuffer(this.#chunkBytes)),
      freed: Promise.resolve(),
    };
    this.#slots[this.#turn] = slot;
    return slot;
  }

  #flush(): void {
    const slot = this.#slot();
    const chunk = slot.chunk.subarray(0, this.#filled);
    const task = Promise.all([this.#file.write(chunk, this.#position), this.#hash.update(chunk), this.#stored]);
    this.#stored = task.then(() => this.#onStored(chunk.length));
    // Its error is thrown by the next call.
    this.#stored.catch(error => {
      this.#failure ??= { error };
    });
    slot.freed = this.#stored;
    this.#position += chunk.length;
    this.#unsynced += chunk.length;
    this.#turn = (this.#turn + 1) % CHUNKS;
    this.#filled = 0;
    if (this.#unsynced >= SYNC_BYTES && syncs < MAX_SYNCS) this.#sync();
  }

  #sync(): void {
    this.#unsynced = 0;
    syncs += 1;
    const sync = this.#file.datasync().finally(() => {
      syncs -= 1;
    });
    // A later sync may report success for pages that this one could not write, so its error is kept.
    this.#synced = Promise.all([this.#synced, sync]).then(() => undefined);
    this.#synced.catch(() => undefined);
  }
}
