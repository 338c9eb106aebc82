import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileSliceBlob } from "../content/blob.ts";
import type { BlobSource, ByteRange, PendingBody, Presence, Seal } from "../content/contracts.ts";
import { pumpBlob } from "../content/pump.ts";
import { StorageError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { createFile, type DiskFile, removeFile } from "../util/disk.ts";
import { errorCode } from "../util/error-code.ts";
import { quote } from "../util/format.ts";
import { FULL_CODES, storageState } from "../util/system-fault.ts";

interface Extent {
  readonly position: number;
  readonly length: number;
}

export interface SpoolWriter {
  /** The part may be reused once the promise settles. @throws StorageError */
  write(part: Uint8Array): Promise<void>;
  /** What was written can be found from now on. */
  end(blob: Pick<Descriptor, "digest" | "size">): void;
}

/**
 * Layers of a streamed archive, kept until their repository is known. The file loses its name at once, so that it
 * disappears when the process ends, however that happens.
 */
export class LayerSpool implements AsyncDisposable {
  readonly folder: string;
  readonly #file: DiskFile;
  readonly #blobs = new Map<Digest, { readonly extents: readonly Extent[]; readonly size: number }>();
  #end = 0;

  readonly #hint: string;

  private constructor(folder: string, file: DiskFile, hint: string) {
    this.folder = folder;
    this.#hint = hint;
    this.#file = file;
  }

  /**
   * @param hint what to do if the folder cannot be written.
   * @throws StorageError if the folder for temporary files cannot be written.
   */
  static async create(hint = "Set TMPDIR to another folder."): Promise<LayerSpool> {
    const folder = tmpdir();
    const path = join(folder, `imgpack-${randomBytes(12).toString("hex")}`);
    let file: DiskFile | undefined;
    try {
      file = await createFile(path, 0o600);
      await removeFile(path);
      return new LayerSpool(folder, file, hint);
    } catch (cause) {
      await file?.close();
      throw spoolFault(folder, cause, hint);
    }
  }

  async has({ digest }: Descriptor): Promise<Presence> {
    return this.#blobs.has(digest) ? "exists" : "absent";
  }

  async put({ digest, size }: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const written: (readonly [at: number, Extent])[] = [];
    await pumpBlob(blob, async (chunk, at) => void written.push([at, await this.#write(chunk)]), signal);
    // Several chunks are written at once.
    written.sort(([left], [right]) => left - right);
    this.#blobs.set(digest, { extents: written.map(([, extent]) => extent), size });
  }

  async putPending(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    const stream = await blob.open(signal, onBytes);
    const writer = this.writer();
    for await (const part of stream.body) await writer.write(part);
    const seal = stream.seal();
    writer.end(seal.descriptor);
    return seal;
  }

  /** Takes the bytes of one blob, part by part. */
  writer(): SpoolWriter {
    const extents: Extent[] = [];
    return {
      write: async part => void extents.push(await this.#write(part)),
      end: ({ digest, size }) => void this.#blobs.set(digest, { extents, size }),
    };
  }

  /** A layer that was put. */
  find(digest: Digest): BlobSource | undefined {
    const kept = this.#blobs.get(digest);
    if (kept === undefined) return undefined;
    const { handle } = this.#file;
    const { size, extents } = kept;
    const read = async function* ({ start, end }: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
      let at = 0;
      for (const { position, length } of extents) {
        const wanted = { start: Math.max(0, start - at), end: Math.min(length, end - at) };
        at += length;
        if (wanted.start >= wanted.end) continue;
        const extent = fileSliceBlob(handle, position, length, "temporary file");
        yield* (await extent.open(wanted, signal)) as AsyncIterable<Uint8Array>;
      }
    };
    return {
      size,
      open: async (range = { start: 0, end: size }, signal) =>
        Readable.from(read(range, signal), { objectMode: false }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<Extent> {
    const extent = { position: this.#end, length: bytes.length };
    this.#end += bytes.length;
    try {
      await this.#file.write(bytes, extent.position);
    } catch (cause) {
      throw spoolFault(this.folder, cause, this.#hint);
    }
    return extent;
  }
}

function spoolFault(folder: string, cause: unknown, hint: string): StorageError {
  const isFull = FULL_CODES.has(errorCode(cause));
  return new StorageError(
    `Cannot keep layers in ${quote(folder)}: ${storageState(cause)}, expected ${isFull ? "room for them" : "a writable folder"}`,
    { cause, hint },
  );
}
