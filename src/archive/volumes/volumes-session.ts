import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource, ByteSink, Presence, SettledRoot, TargetSession } from "../../content/contracts.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { joinedBlob } from "../../content/joined-blob.ts";
import { pumpBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { IntegrityError, StorageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestHex } from "../../oci/digest.ts";
import type { SignLock } from "../../oci/signatures/lock-signature.ts";
import { appendTo } from "../../util/append.ts";
import { allEnded } from "../../util/promises.ts";
import { replaceFile } from "../../util/replace-file.ts";
import type { ArchiveSession } from "../write/archive-file-target.ts";
import type { ArchivePart } from "../write/archive-part.ts";
import type { PlannedVolume } from "./plan-volumes.ts";
import { sumLine, sumsSignature } from "./volume-names.ts";

export interface OpenVolume {
  readonly path: string;
  readonly volume: PlannedVolume;
  readonly session: ArchiveSession;
}

/** What happens to a set as a whole. */
export interface SetEnds {
  /** The file that gets the sum of a volume. */
  sumsOf(volume: PlannedVolume): string;
  /** Default: the sums are not signed. */
  readonly signSums: SignLock | undefined;
  /** Is called when all volumes are whole, before the first gets its name. */
  prepare(): Promise<void>;
  /** Is called after all volumes are closed. */
  onLeft(): void;
}

interface PlacedPart {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly part: ArchivePart;
}

/** Writes each blob to the volume that has it, or its parts to several; each is read and verified once. */
export class VolumesSession implements TargetSession {
  readonly #volumes: readonly OpenVolume[];
  readonly #ends: SetEnds;
  readonly #whole: ReadonlyMap<Digest, ArchiveSession>;
  /** In the order of the blob; those of volumes that are not written are absent. */
  readonly #parts = new Map<Digest, PlacedPart[]>();

  constructor(volumes: readonly OpenVolume[], ends: SetEnds) {
    this.#volumes = volumes;
    this.#ends = ends;
    this.#whole = new Map(
      volumes.flatMap(({ volume, session }) => volume.blobs.map(digest => [digest, session] as const)),
    );
    for (const { volume, session } of volumes) {
      for (const { digest, from, to } of volume.parts) {
        const part = session.part(digest);
        if (part !== undefined) appendTo(this.#parts, digest, { from, to, part });
      }
    }
    for (const parts of this.#parts.values()) parts.sort((left, right) => left.from - right.from);
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const session = this.#whole.get(descriptor.digest);
    if (session !== undefined) return await session.has(descriptor, signal);
    const parts = this.#parts.get(descriptor.digest);
    // It is in a volume that is not written now.
    if (parts === undefined) return "exists";
    const kept = this.kept(descriptor);
    if (kept?.size !== descriptor.size) return "absent";
    try {
      await fillParts(parts, verified(descriptor, kept, "volumes"), kept.size, signal);
    } catch (error) {
      if (!(error instanceof IntegrityError || error instanceof StorageError)) throw error;
      await this.forget(descriptor);
      return "absent";
    }
    return "kept";
  }

  kept(descriptor: Descriptor): BlobSource | undefined {
    const session = this.#whole.get(descriptor.digest);
    if (session !== undefined) return session.kept(descriptor);
    const found: BlobSource[] = [];
    let bytes = 0;
    for (const { from, to, part } of this.#parts.get(descriptor.digest) ?? []) {
      if (from !== bytes) break;
      const kept = part.kept();
      found.push(kept);
      bytes += kept.size;
      if (bytes < to) break;
    }
    return bytes === 0 ? undefined : joinedBlob(found.map(source => ({ source })));
  }

  async forget(descriptor: Descriptor): Promise<void> {
    await this.#whole.get(descriptor.digest)?.forget(descriptor);
    for (const { part } of this.#parts.get(descriptor.digest) ?? []) await part.reset();
  }

  async put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    await this.#whole.get(descriptor.digest)?.put(descriptor, blob, signal);
    const parts = this.#parts.get(descriptor.digest);
    if (parts === undefined) return;
    // Of what is kept after a hole, nothing is known: it is written again.
    const kept = this.kept(descriptor)?.size ?? 0;
    try {
      await fillParts(parts, blob, kept, signal);
    } catch (error) {
      if (error instanceof IntegrityError) await this.forget(descriptor);
      throw error;
    }
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    for (const { session } of this.#volumes) await session.writeRest(signal);
    // Nothing has its name before everything is whole.
    for (const { session } of this.#volumes) await session.archive.finish();
    const lines = new Map<string, string[]>();
    for (const { path, volume, session } of this.#volumes) {
      const { file } = session.archive;
      const digest = await hashBlob(fileSliceBlob(file.handle, 0, volume.bytes, file.path), "sha256", signal);
      appendTo(lines, this.#ends.sumsOf(volume), sumLine(digestHex(digest), path));
    }
    await this.#ends.prepare();
    for (const { session } of this.#volumes) await session.archive.rename();
    for (const [path, own] of lines) {
      const sums = Buffer.from(own.join(""));
      await replaceFile(path, sums);
      const signature = this.#ends.signSums?.(sums);
      if (signature !== undefined) await replaceFile(sumsSignature(path), signature.bytes);
    }
    for (const { session } of this.#volumes) await session.archive.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await allEnded(this.#volumes.map(async ({ session }) => await session[Symbol.asyncDispose]()));
    this.#ends.onLeft();
  }
}

/** @param kept bytes from the start of the blob that are in the files already. */
async function fillParts(
  parts: readonly PlacedPart[],
  blob: BlobSource,
  kept: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for (const { part } of parts) await part.begin();
    const take: ByteSink = async (chunk, position) => {
      const end = position + chunk.length;
      const taken = parts.map(async ({ from, to, part }) => {
        const [start, stop] = [Math.max(from, position), Math.min(to, end)];
        if (start < stop) await part.take(chunk.subarray(start - position, stop - position), start - from, end <= kept);
      });
      await allEnded(taken);
    };
    await pumpBlob(blob, take, signal);
    for (const { part } of parts) await part.end();
  } catch (error) {
    for (const { part } of parts) await part.drop();
    throw error;
  }
}
