import type { Writable } from "node:stream";
import type { BlobSource, ImageTarget, Presence, SettledRoot, TargetSession } from "../../content/contracts.ts";
import { pumpBlob } from "../../content/pump.ts";
import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { encodeSlotHeader, planGaps, type TarPlan } from "../../tar/tar-plan.ts";
import { abortable, allEnded, type Deferred, deferred } from "../../util/promises.ts";
import {
  type ArchiveContents,
  type ArchiveContentsOptions,
  archiveContents,
  planArchiveTar,
} from "./archive-contents.ts";
import { checkReadable } from "./check-readable.ts";
import { StreamWriter } from "./stream-writer.ts";

/** Maximum number of blobs at once: those that wait for their turn use memory. */
export const STREAM_CONCURRENCY = 4;

/** Bytes that a blob may read before its turn; after that it keeps its pool chunks and waits. */
const MAX_AHEAD_BYTES = 4 * 1024 * 1024;

/**
 * Writes the same bytes as `archiveFileTarget`, from front to back into a stream. Blobs are fetched a few at a time, in the
 * order of the tar: one is written directly, the next ones read a little ahead.
 *
 * @param output stays open: it belongs to the caller.
 */
export function archiveStreamTarget(output: Writable, options: ArchiveContentsOptions): ImageTarget {
  return {
    async begin(plan, signal) {
      const contents = archiveContents(plan, options);
      checkReadable(contents, plan);
      const session = new StreamSession(new StreamWriter(output, "archive"), planArchiveTar(contents), contents);
      try {
        await session.advance(signal);
      } catch (error) {
        await session[Symbol.asyncDispose]();
        throw error;
      }
      return session;
    },
  };
}

class StreamSession implements TargetSession {
  readonly order: readonly Digest[];
  readonly #writer: StreamWriter;
  readonly #tar: TarPlan;
  readonly #contents: ArchiveContents;
  /** Zeros after a body, by their position. */
  readonly #padding: ReadonlyMap<number, number>;
  readonly #endBytes: number;
  readonly #turns: ReadonlyMap<Digest, Deferred<void>>;
  readonly #pieces = new Map<Digest, readonly string[]>();
  /** Files written so far. */
  #written = 0;

  constructor(writer: StreamWriter, tar: TarPlan, contents: ArchiveContents) {
    this.#writer = writer;
    this.#tar = tar;
    this.#contents = contents;
    const gaps = planGaps(tar);
    this.#endBytes = gaps.at(-1)?.length ?? 0;
    this.#padding = new Map(gaps.slice(0, -1).map(({ position, length }) => [position, length]));
    this.order = contents.files.flatMap(file => (file.digest === undefined ? [] : [file.digest]));
    this.#turns = new Map(this.order.map(digest => [digest, deferred<void>()]));
  }

  async has(): Promise<Presence> {
    return "absent";
  }

  async put({ digest, size }: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const turn = this.#turns.get(digest);
    // Manifests come from the plan, and are written at the start of the archive.
    if (turn === undefined) return;
    const ahead: Uint8Array[] = [];
    let aheadBytes = 0;
    let isTurn = false;
    const flush = async (): Promise<void> => {
      isTurn = true;
      for (const part of ahead.splice(0)) await this.#writer.write(part, signal);
    };
    const hashes = this.#contents.sums?.hashes(digest);
    // Several chunks come at once; each waits for the one before it.
    let last = Promise.resolve();
    const taken = async (chunk: Uint8Array): Promise<void> => {
      if (!isTurn && aheadBytes + chunk.length <= MAX_AHEAD_BYTES && !this.#isTurn(digest)) {
        aheadBytes += chunk.length;
        // A copy: the blob whose turn it is needs the chunk in the pool.
        ahead.push(chunk.slice());
        return;
      }
      if (!isTurn) {
        await abortable(turn.promise, signal);
        await flush();
      }
      await this.#writer.write(chunk, signal);
    };
    try {
      await pumpBlob(
        blob,
        async chunk => {
          last = last.then(async () => await taken(chunk));
          await allEnded([hashes?.take(chunk), last]);
        },
        signal,
      );
    } catch (error) {
      await hashes?.drop();
      throw error;
    }
    if (hashes !== undefined) this.#pieces.set(digest, await hashes.pieces());
    await abortable(turn.promise, signal);
    await flush();
    if (blob.size !== size) throw new InternalError(`Cannot write ${digest}: ${blob.size} bytes, planned ${size}`);
    this.#written += 1;
    await this.advance(signal);
  }

  /** Ends the previous file, writes files from the plan, and starts the turn of the next blob. */
  async advance(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const previous = this.#slot(this.#written - 1);
      const padding = previous === undefined ? undefined : this.#padding.get(previous.bodyOffset + previous.size);
      const zeros = new Uint8Array(padding ?? 0);
      const file = this.#contents.files[this.#written];
      const slot = this.#slot(this.#written);
      if (file === undefined || slot === undefined) {
        if (zeros.length > 0) await this.#writer.write(zeros, signal);
        return;
      }
      // In one piece: a pipe that ends between two files would look like the end of the archive to ctr.
      await this.#writer.write(Buffer.concat([zeros, encodeSlotHeader(slot)]), signal);
      if (file.digest !== undefined) this.#turns.get(file.digest)?.resolve();
      if (file.bytes === undefined) return;
      await this.#writer.write(file.bytes, signal);
      this.#written += 1;
    }
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const { sums, files } = this.#contents;
    if (sums !== undefined && this.#written === files.length - 1) {
      await this.#writer.write(sums.bytes(this.#pieces), signal);
      this.#written += 1;
      await this.advance(signal);
    }
    const missing = files[this.#written];
    if (missing !== undefined) throw new InternalError(`Cannot finish archive: ${missing.name} was never written`);
    const { totalBytes } = this.#tar;
    await this.#writer.write(new Uint8Array(this.#endBytes), signal);
    if (this.#writer.written !== totalBytes) {
      throw new InternalError(`Cannot finish archive: ${this.#writer.written} bytes written, planned ${totalBytes}`);
    }
  }

  /** Written bytes cannot be taken back: a reader sees an archive without its end blocks. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.release();
  }

  #isTurn(digest: Digest): boolean {
    const file = this.#contents.files[this.#written];
    return file?.digest === digest;
  }

  #slot(index: number): ReturnType<TarPlan["slots"]["get"]> {
    const file = this.#contents.files[index];
    return file === undefined ? undefined : this.#tar.slots.get(file.name);
  }
}
