import type { Digest } from "../../oci/digest.ts";

/** What the last entry of an archive says about the others: where damage is, and what damaged metadata was. */
export interface Sums {
  /** Bytes of a piece; the last one of a blob may be shorter. */
  readonly pieceBytes: number;
  /** Entries that are not named by a digest, in their order, without the sums. */
  readonly files: readonly SummedFile[];
  /** Names of all entries before the sums; undefined for `files`, then the blobs of the lock by kind and digest. */
  readonly order: readonly string[] | undefined;
  /** Blobs, or parts of them, of more than one piece. */
  readonly blobs: readonly SummedBlob[];
}

export interface SummedFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  /** Its bytes, if nothing else has them. */
  readonly copy?: Uint8Array;
}

export interface SummedBlob {
  readonly digest: Digest;
  /** sha256 in hex of each piece. */
  readonly pieces: readonly string[];
  /** Only of a part: its number, and its bytes `from` to `to - 1` of the blob. */
  readonly part?: { readonly number: number; readonly from: number; readonly to: number };
}

/** How many pieces `piecesOf` gives. Sums from outside may ask for more than there is memory for. */
export function pieceCount(from: number, to: number, pieceBytes: number): number {
  return to <= from ? 0 : Math.ceil(to / pieceBytes) - Math.floor(from / pieceBytes);
}

/** Bytes `from` to `to - 1` of a blob, cut at the borders of its pieces. */
export function piecesOf(from: number, to: number, pieceBytes: number): readonly (readonly [number, number])[] {
  const pieces: (readonly [number, number])[] = [];
  for (let start = from; start < to; ) {
    const end = Math.min(to, (Math.floor(start / pieceBytes) + 1) * pieceBytes);
    pieces.push([start, end]);
    start = end;
  }
  return pieces;
}
