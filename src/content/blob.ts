import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { storageState } from "../util/system-fault.ts";
import { sharedChunks } from "./chunks/chunks.ts";
import type { BlobExtent, BlobFile, BlobReader, BlobSource, ByteRange, ByteSink } from "./contracts.ts";
import type { FileWindows } from "./file-windows.ts";
import { pumpFilled } from "./pump.ts";

/** A blob up to this size is one chunk, and often one of tens of thousands: it needs nothing to send several at once. */
const SMALL_BYTES = 64 * 1024;

/** A blob in memory: a manifest, a config, a small layer. */
export function bytesBlob(bytes: Uint8Array): BlobSource {
  return {
    size: bytes.length,
    open: async range => Readable.from([bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length)]),
    whole: async () => bytes,
    reader: async () => ({
      extents: [],
      fill: async (into, position) => into.set(bytes.subarray(position, position + into.length)),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}

/**
 * `size` bytes of an open file from `offset` on. The caller keeps the handle open while blobs of it are in use.
 *
 * @param windows of the file, for one with many small blobs.
 * @param origin for one that is read at any position.
 */
export function fileSliceBlob(
  file: FileHandle,
  offset: number,
  size: number,
  path: string,
  windows?: FileWindows,
  origin?: BlobFile,
): BlobSource {
  return new FileSlice(file, offset, size, path, windows, origin);
}

class FileSlice implements BlobSource {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #offset: number;
  readonly #path: string;
  readonly #windows: FileWindows | undefined;
  readonly #origin: BlobFile | undefined;

  constructor(
    file: FileHandle,
    offset: number,
    size: number,
    path: string,
    windows: FileWindows | undefined,
    origin: BlobFile | undefined,
  ) {
    this.#origin = origin;
    this.#windows = windows;
    this.#file = file;
    this.#offset = offset;
    this.size = size;
    this.#path = path;
  }

  async open(range?: ByteRange, signal?: AbortSignal): Promise<Readable> {
    signal?.throwIfAborted();
    return Readable.from(this.#parts(range?.start ?? 0, range?.end ?? this.size, signal), { objectMode: false });
  }

  async whole(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const known = await this.#windows?.read(this.#offset, this.size);
    if (known !== undefined) return known;
    const bytes = Buffer.allocUnsafe(this.size);
    await this.#fill(bytes, 0);
    return bytes;
  }

  async *#parts(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let position = start; position < end; ) {
      signal?.throwIfAborted();
      const part = Buffer.allocUnsafe(Math.min(256 * 1024, end - position));
      await this.#fill(part, position);
      yield part;
      position += part.length;
    }
  }

  async reader(): Promise<BlobReader> {
    const extents: readonly BlobExtent[] =
      this.#origin === undefined ? [] : [{ start: 0, end: this.size, file: this.#origin }];
    return {
      extents,
      fill: async (into, position) => await this.#fill(into, position),
      // The file stays open for others.
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async #fill(part: Uint8Array, position: number): Promise<void> {
    await fillFrom(this.#file, part, this.#offset + position, this.#path);
  }

  async pump(sink: ByteSink, signal?: AbortSignal): Promise<void> {
    if (this.size <= SMALL_BYTES) return await this.#pumpSmall(sink, signal);
    await pumpFilled(this.size, async (part, position) => await this.#fill(part, position), sink, signal);
  }

  async #pumpSmall(sink: ByteSink, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.size === 0) return;
    const chunk = sharedChunks.tryAcquire() ?? (await sharedChunks.acquire(signal));
    try {
      const part = chunk.subarray(0, this.size);
      const known = await this.#windows?.read(this.#offset, this.size);
      if (known === undefined) await this.#fill(part, 0);
      else part.set(known);
      await sink(part, 0);
    } finally {
      sharedChunks.release(chunk);
    }
  }
}

/**
 * Fills `into` with the bytes of a file from `position` on.
 *
 * @throws StorageError if it cannot be read, or ends before.
 */
export async function fillFrom(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  for (let filled = 0; filled < into.length; ) {
    const at = position + filled;
    const bytesRead = await readSome(file, into.subarray(filled), at, path);
    if (bytesRead === 0) {
      throw new StorageError(
        `Cannot read from ${quote(path)}: file ends at byte ${at}, expected at least ${position + into.length}`,
        { hint: "The file became shorter while it was read: make sure that nothing writes to it, and try again." },
      );
    }
    filled += bytesRead;
  }
}

async function readSome(file: FileHandle, into: Uint8Array, at: number, path: string): Promise<number> {
  try {
    return (await file.read(into, 0, into.length, at)).bytesRead;
  } catch (cause) {
    throw new StorageError(
      `Cannot read from ${quote(path)}: ${storageState(cause)} at byte ${at}, expected ${into.length} bytes`,
      {
        cause,
        hint: "The disk or the medium may be damaged: copy the file to another one, and try again with the copy.",
      },
    );
  }
}
