import { type Digest, digestHex, isDigest } from "../oci/digest.ts";

/** Last entry: hashes of the pieces of each large blob. */
export const SUMS_FILE = "imgpack/sums";
/** Signature of the lock. */
export const SIGNATURE_FILE = "imgpack.sig";

const PART_DIGITS = 4;
const OFFSET_DIGITS = 16;

/** A part of a blob that is split among volumes; `part` counts from 1. Names of sha512 are too long for a tar. */
export interface NamedPart {
  readonly digest: Digest;
  readonly part: number;
}

/** Bytes of a blob from `from` on, in a patch. */
export interface NamedPiece {
  readonly digest: Digest;
  readonly from: number;
}

/** @param part from 1, at most 9999. */
export function partName(digest: Digest, part: number): string {
  return `imgpack/parts/${digestHex(digest)}/${String(part).padStart(PART_DIGITS, "0")}`;
}

export function pieceName(digest: Digest, from: number): string {
  return `imgpack/pieces/${digestHex(digest)}/${String(from).padStart(OFFSET_DIGITS, "0")}`;
}

/** An empty file where docker expects a layer that a delta leaves out. @param digest of the layer. */
export function absentName(digest: Digest): string {
  return `imgpack/absent/${digestHex(digest)}`;
}

/** Undefined for any other name. */
export function parsePartName(name: string): NamedPart | undefined {
  const [, hex, digits] = /^imgpack\/parts\/([0-9a-f]{64})\/(\d{4})$/.exec(name) ?? [];
  const digest = `sha256:${hex}`;
  return !isDigest(digest) || digits === "0000" ? undefined : { digest, part: Number(digits) };
}

/** Undefined for any other name. */
export function parsePieceName(name: string): NamedPiece | undefined {
  const [, hex, digits] = /^imgpack\/pieces\/([0-9a-f]{64})\/(\d{16})$/.exec(name) ?? [];
  const digest = `sha256:${hex}`;
  const from = Number(digits);
  return !isDigest(digest) || !Number.isSafeInteger(from) ? undefined : { digest, from };
}
