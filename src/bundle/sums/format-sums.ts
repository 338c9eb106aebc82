import { createHash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import { jsonLines } from "../lock/json-lines.ts";
import { pieceCount, type SummedBlob } from "./sums.ts";

/** Value of the field `format`. */
export const SUMS_FORMAT = "imgpack-sums";
/** Value of the field `version`. */
export const SUMS_VERSION = 1;
/** Starts the last line, which is the sum of all lines before it. */
export const SUM_FIELD = '"sum":"';

const UNKNOWN_HASH = "0".repeat(64);
/** Of the hash of a piece in hex, its quotes, and a comma, which the last one of a row does not have. */
const HASH_BYTES = 67;

/** A file of the archive that is not named by a digest. */
export interface FileToSum {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** "text" for UTF-8. Default: the sums have no copy of it, because other volumes of the set have it. */
  readonly copy?: "text" | "base64" | undefined;
}

/** A blob, or a part of one, of more than one piece. */
export interface BlobToSum {
  readonly digest: Digest;
  /** Bytes of the blob, or of the part. */
  readonly size: number;
  /** Of a part: its number from 1, and where it begins in the blob. */
  readonly part?: { readonly number: number; readonly from: number } | undefined;
  /** Hashes in hex; undefined or empty until they are known. */
  readonly pieces?: SummedBlob["pieces"] | undefined;
}

export interface SumsContents {
  readonly pieceBytes: number;
  readonly files: readonly FileToSum[];
  /** As in `Sums`. */
  readonly order?: readonly string[] | undefined;
  readonly blobs: readonly BlobToSum[];
}

/**
 * Bytes of the text of the sums when all hashes are known, without a look at what is hashed. Nothing is made for each piece: a
 * manifest may state any size, and there may not be memory for its hashes.
 */
export function sumsBytes(contents: SumsContents): number {
  const blobs = contents.blobs.map(blob => ({ ...blob, pieces: [] }));
  return contents.blobs.reduce(
    (bytes, { size, part: { from } = { from: 0 } }) =>
      bytes + Math.max(0, pieceCount(from, from + size, contents.pieceBytes) * HASH_BYTES - 1),
    Buffer.byteLength(textOf({ ...contents, blobs }, () => UNKNOWN_HASH)),
  );
}

/** The text of the sums: JSON with one file or blob per line, so that a damaged line does not cost the others. */
export function formatSums(contents: SumsContents): string {
  return textOf(contents, sha256);
}

function textOf({ pieceBytes, files, order, blobs }: SumsContents, hashOf: typeof sha256): string {
  const text = [
    `{"format":"${SUMS_FORMAT}","version":${SUMS_VERSION},"pieceBytes":${pieceBytes},\n`,
    `"files":[${jsonLines(files.map(file => fileRow(file, hashOf)))}],\n`,
    order === undefined ? "" : `"order":[${jsonLines(order)}],\n`,
    `"blobs":[${jsonLines(blobs.map(blobRow))}],\n`,
  ].join("");
  return `${text}${SUM_FIELD}${hashOf(text)}"}\n`;
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function fileRow({ name, bytes, copy }: FileToSum, hashOf: typeof sha256): readonly unknown[] {
  const row = [name, bytes.length, hashOf(bytes)];
  if (copy === undefined) return row;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return copy === "text" ? [...row, buffer.toString("utf8")] : [...row, buffer.toString("base64"), copy];
}

function blobRow({ digest, size, part, pieces = [] }: BlobToSum): readonly unknown[] {
  return part === undefined ? [digest, pieces] : [digest, pieces, part.number, part.from, part.from + size];
}
