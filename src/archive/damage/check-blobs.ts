import { pieceCount, piecesOf } from "../../bundle/sums/sums.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { PieceHashes } from "../../content/piece-hashes.ts";
import { pumpBlob } from "../../content/pump.ts";
import { StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { allEnded } from "../../util/promises.ts";
import type { DamagedFile } from "./damaged-file.ts";
import type { Layout, LayoutSlot } from "./find-layout.ts";

/** Bytes `from` to `to - 1` of a blob. */
export type BlobRange = readonly [from: number, to: number];

export interface BlobState {
  readonly slot: LayoutSlot;
  /** What is damaged of it, on borders of pieces; empty if its digest is right, or, of a part, its pieces. */
  readonly ranges: readonly BlobRange[];
  /** The digest that was found; undefined for a part, and for what cannot be read whole. */
  readonly found?: Digest | undefined;
  /** True if all pieces are as the sums say, and the digest is not: then the sums are wrong. */
  readonly isLie?: boolean;
}

export interface CheckBlobOptions {
  /** Whether pieces are hashed of a blob that is right, too: sums that are wrong about it show only then. */
  readonly withPieces: boolean;
  /** Is called with the number of bytes that were read. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Hashes a blob, or a part of one. Only where its digest is wrong, pieces are looked at: two hashes of all bytes would take
 * twice as long.
 */
export async function checkBlob(
  file: DamagedFile,
  layout: Pick<Layout, "sums">,
  slot: LayoutSlot,
  { withPieces, onBytes }: CheckBlobOptions,
  signal?: AbortSignal,
): Promise<BlobState> {
  const { bodyOffset, size, digest, part } = slot;
  if (digest === undefined) return { slot, ranges: [] };
  const from = part?.from ?? 0;
  const isCut = bodyOffset + size > file.size;
  if (part === undefined && !isCut) {
    const claimed = withPieces ? claimedPieces(layout, slot) : undefined;
    const pieces = claimed && new PieceHashes(claimed.pieceBytes);
    const found = await digestOf(file, slot, { digest, pieces, onBytes }, signal);
    if (found === digest) {
      const own = await pieces?.pieces();
      return { slot, ranges: [], found, isLie: own?.some((piece, index) => piece !== claimed?.pieces[index]) ?? false };
    }
    await pieces?.drop();
    const ranges = await damagedPieces(file, layout, slot, signal);
    return ranges?.length === 0
      ? { slot, ranges: [[0, size]], found, isLie: true }
      : { slot, ranges: ranges ?? [[0, size]], found };
  }
  const ranges = await damagedPieces(file, layout, slot, signal);
  onBytes(size);
  return { slot, ranges: ranges ?? (isCut ? [[from, from + size]] : []) };
}

interface Hashing {
  /** As it should be. */
  readonly digest: Digest;
  /** What hashes the pieces of the same bytes. */
  readonly pieces: PieceHashes | undefined;
  readonly onBytes: (bytes: number) => void;
}

/** Undefined if it cannot be read. */
async function digestOf(
  file: DamagedFile,
  { bodyOffset, size }: LayoutSlot,
  { digest, pieces, onBytes }: Hashing,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  let left = size;
  const blob = file.slice(bodyOffset, size);
  const counted = {
    size,
    open: blob.open.bind(blob),
    pump: async (sink: Parameters<typeof pumpBlob>[1], stop?: AbortSignal) =>
      await pumpBlob(
        blob,
        async (chunk, position) => {
          left -= chunk.length;
          onBytes(chunk.length);
          await allEnded([pieces?.take(chunk), sink(chunk, position)]);
        },
        stop,
      ),
  };
  try {
    return await hashBlob(counted, digestAlgorithm(digest), signal);
  } catch (error) {
    await pieces?.drop();
    if (!(error instanceof StorageError)) throw error;
    onBytes(left);
    return undefined;
  }
}

/**
 * The pieces that are not as the sums say, those that follow each other as one range; undefined if the sums say nothing of
 * them. @returns none if all are right.
 */
async function damagedPieces(
  file: DamagedFile,
  layout: Pick<Layout, "sums">,
  slot: LayoutSlot,
  signal: AbortSignal | undefined,
): Promise<readonly BlobRange[] | undefined> {
  const claimed = claimedPieces(layout, slot);
  if (claimed === undefined) return undefined;
  const { bodyOffset, size, part } = slot;
  const { pieceBytes, pieces } = claimed;
  const from = part?.from ?? 0;
  const damaged: [number, number][] = [];
  for (const [index, [start, end]] of piecesOf(from, from + size, pieceBytes).entries()) {
    const offset = bodyOffset + start - from;
    if (offset + end - start <= file.size && (await pieceHash(file, offset, end - start, signal)) === pieces[index])
      continue;
    const last = damaged.at(-1);
    if (last?.[1] === start) last[1] = end;
    else damaged.push([start, end]);
  }
  return damaged;
}

/** Undefined if the sums say nothing of its pieces. */
function claimedPieces(
  { sums }: Pick<Layout, "sums">,
  { size, part, pieces }: LayoutSlot,
): { readonly pieceBytes: number; readonly pieces: readonly string[] } | undefined {
  if (sums === undefined || pieces === undefined) return undefined;
  const from = part?.from ?? 0;
  const { pieceBytes } = sums;
  return pieceCount(from, from + size, pieceBytes) === pieces.length ? { pieceBytes, pieces } : undefined;
}

/** Undefined if it cannot be read. */
async function pieceHash(
  file: DamagedFile,
  offset: number,
  size: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const hashes = new PieceHashes(size);
  try {
    await pumpBlob(file.slice(offset, size), async chunk => await hashes.take(chunk), signal);
    return (await hashes.pieces())[0];
  } catch (error) {
    await hashes.drop();
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}
