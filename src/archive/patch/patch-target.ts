import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { formatNeed } from "../../bundle/need/format-need.ts";
import type { Need, NeededBlob } from "../../bundle/need/need.ts";
import type { ByteRange, ImageTarget, TargetSession } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { planTar } from "../../tar/tar-plan.ts";
import { blobName } from "../blob-name.ts";
import { pieceName } from "../entry-names.ts";
import { openPartialArchive } from "../partial/open-partial-archive.ts";
import type { ResumeOptions } from "../partial/opened-partial.ts";
import type { PartialArchive } from "../partial/partial-archive.ts";
import type { ArchiveFile } from "../write/archive-file.ts";
import { ArchiveSession } from "../write/archive-file-target.ts";
import { archivePlan, type PlannedArchive } from "../write/planned-archive.ts";

/** Some bytes of a blob, which a patch has in a file of their own. */
export interface NeededPiece {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly range: ByteRange;
}

/** The place of a piece in a patch. */
export interface PieceSlot extends NeededPiece {
  /** Bytes from its start that an interrupted run has left. Nothing says what they have to be. */
  readonly kept: number;
  /** @param position from the start of the blob. */
  write(bytes: Uint8Array, position: number): Promise<void>;
}

export interface PatchTargetOptions {
  readonly resume: ResumeOptions;
  /** Writes all of these. */
  readonly putPieces: (slots: readonly PieceSlot[], signal: AbortSignal | undefined) => Promise<void>;
}

/** Those that are needed whole. */
export function wholeBlobs({ blobs }: Need): readonly NeededBlob[] {
  return blobs.filter(({ ranges }) => ranges === undefined);
}

export function neededPieces({ blobs }: Need): readonly NeededPiece[] {
  return blobs.flatMap(({ digest, size, ranges = [] }) =>
    ranges.map(([start, end]) => ({ digest, size, range: { start, end } })),
  );
}

/**
 * Writes what a need list asks for into one tar: the list itself as `imgpack.json`, then whole blobs, then pieces, each
 * group by digest. Blobs come as those of any copy, and pieces before the file gets its name.
 */
export function patchTarget(path: string, need: Need, { resume, putPieces }: PatchTargetOptions): ImageTarget {
  return {
    async begin(_plan, signal) {
      const pieces = neededPieces(need);
      const planned = plannedPatch(need, pieces);
      const archive = await openPartialArchive(path, planned.archive, resume, signal);
      return new PatchSession(archive, planned, pieces, putPieces);
    },
  };
}

class PatchSession extends ArchiveSession implements TargetSession {
  readonly #slots: readonly PieceSlot[];
  readonly #putPieces: PatchTargetOptions["putPieces"];

  constructor(
    archive: PartialArchive,
    planned: PlannedArchive,
    pieces: readonly NeededPiece[],
    putPieces: PatchTargetOptions["putPieces"],
  ) {
    super(archive, planned);
    const first = planned.contents.names.size;
    this.#putPieces = putPieces;
    this.#slots = pieces.map((piece, index) => slotOf(archive, first + index, piece));
  }

  override async commit(_roots: Parameters<TargetSession["commit"]>[0], signal?: AbortSignal): Promise<void> {
    await this.#putPieces(this.#slots, signal);
    await super.commit([], signal);
  }
}

function slotOf(archive: PartialArchive, index: number, piece: NeededPiece): PieceSlot {
  const { offset = 0 } = archive.plan.blobs[index] ?? {};
  const { start } = piece.range;
  return {
    ...piece,
    // What seems to be complete is compared with what comes.
    kept: archive.isReadOnly ? 0 : archive.kept(index),
    async write(bytes, position) {
      await archive.write(bytes, offset + position - start);
      await archive.wrote(index, position - start, bytes.length);
    },
  };
}

function plannedPatch(need: Need, pieces: readonly NeededPiece[]): PlannedArchive {
  const bytes = Buffer.from(formatNeed(need));
  const whole = [...wholeBlobs(need)].sort(({ digest: left }, { digest: right }) => (left < right ? -1 : 1));
  const files: readonly ArchiveFile[] = [
    { name: LOCK_FILE, size: bytes.length, bytes },
    ...whole.map(({ digest, size }) => ({ name: blobName(digest), size, bytes: undefined, digest })),
    ...pieces.map(({ digest, range: { start, end } }) => ({
      name: pieceName(digest, start),
      size: end - start,
      bytes: undefined,
      digest,
    })),
  ];
  const contents = {
    files,
    names: new Map(whole.map(({ digest }) => [digest, blobName(digest)])),
    sums: undefined,
    totalBytes: files.reduce((sum, { size }) => sum + size, 0),
  };
  const tar = planTar(files);
  const archive = archivePlan(contents, tar);
  const placed = pieces.map(({ digest, range: { start, end } }) => ({
    digest,
    size: end - start,
    offset: tar.slots.get(pieceName(digest, start))?.bodyOffset ?? 0,
  }));
  return { contents, tar, archive: { ...archive, blobs: [...archive.blobs, ...placed] } };
}
