import { type Digest, isDigest } from "../../oci/digest.ts";
import { PIECE_BYTES } from "../need/parse-need.ts";
import { SUM_FIELD, SUMS_FORMAT, SUMS_VERSION, sha256 } from "./format-sums.ts";
import { pieceCount, type SummedBlob, type SummedFile, type Sums } from "./sums.ts";

/** Those of a bundle of 4 TiB, with the largest lock. */
export const MAX_SUMS_BYTES: number = 192 * 1024 * 1024;

export interface ReadSums extends Sums {
  /** False if a byte of it changed: then it is what the other lines say. */
  readonly isIntact: boolean;
}

const HASH = /^[0-9a-f]{64}$/;
const START = new RegExp(`^\\{"format":"${SUMS_FORMAT}","version":(\\d{1,9}),"pieceBytes":(\\d{1,15}),\n`);
const NEWLINE = 0x0a;

/**
 * Reads sums line by line: a line that is damaged is left out. What they say is a claim until digests confirm it.
 *
 * @returns undefined if nothing of them can be used.
 */
export function parseSums(bytes: Uint8Array): ReadSums | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isIntact = hasSum(buffer);
  const [, version, stated] = START.exec(buffer.toString("latin1", 0, 256)) ?? [];
  if (version === undefined ? isIntact : Number(version) !== SUMS_VERSION) return undefined;
  const pieceBytes = Number(stated ?? PIECE_BYTES);
  if (pieceBytes === 0 || !Number.isSafeInteger(pieceBytes)) return undefined;
  const files: SummedFile[] = [];
  const order: string[] = [];
  const blobs: SummedBlob[] = [];
  for (let start = 0; start < buffer.length; ) {
    const found = buffer.indexOf(NEWLINE, start);
    const end = found === -1 ? buffer.length : found;
    const value = rowIn(buffer.toString("utf8", start, end));
    if (typeof value === "string") order.push(value);
    if (Array.isArray(value)) {
      const file = fileOf(value);
      const blob = blobOf(value, pieceBytes);
      if (file !== undefined) files.push(file);
      if (blob !== undefined) blobs.push(blob);
    }
    start = end + 1;
  }
  if (!isIntact && files.length + blobs.length === 0) return undefined;
  return { pieceBytes, files, order: order.length === 0 ? undefined : order, blobs, isIntact };
}

/** The last line is the sum of those before it. */
function hasSum(buffer: Buffer): boolean {
  const start = buffer.lastIndexOf(`\n${SUM_FIELD}`) + 1;
  return start > 0 && buffer.toString("latin1", start) === `${SUM_FIELD}${sha256(buffer.subarray(0, start))}"}\n`;
}

/** The last row of a list also ends the list. */
function rowIn(line: string): unknown {
  const [first] = line;
  if (first !== "[" && first !== '"') return undefined;
  const row = line.replace(/,$/, "");
  for (const text of [row, row.replace(/\]$/, "")]) {
    try {
      return JSON.parse(text);
    } catch {
      // Another line, or a damaged one.
    }
  }
  return undefined;
}

function fileOf([name, size, hash, copy, encoding]: readonly unknown[]): SummedFile | undefined {
  if (typeof name !== "string" || isDigest(name) || !isSize(size) || !isHash(hash)) return undefined;
  if (typeof copy !== "string" || (encoding !== undefined && encoding !== "base64"))
    return { name, size, sha256: hash };
  const bytes = Buffer.from(copy, encoding ?? "utf8");
  return sha256(bytes) === hash && bytes.length === size
    ? { name, size, sha256: hash, copy: bytes }
    : { name, size, sha256: hash };
}

function blobOf([digest, pieces, number, from, to]: readonly unknown[], pieceBytes: number): SummedBlob | undefined {
  if (!isDigest(digest) || !isPieces(pieces)) return undefined;
  if (number === undefined) return { digest, pieces };
  if (!isSize(number) || !isSize(from) || !isSize(to) || to <= from) return undefined;
  return pieceCount(from, to, pieceBytes) === pieces.length
    ? { digest, pieces, part: { number, from, to } }
    : undefined;
}

function isPieces(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isHash);
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Hashes of the pieces of a whole blob; undefined if there are none, or not as many as the blob has. */
export function wholePieces(sums: Sums, digest: Digest, size: number): readonly string[] | undefined {
  const found = sums.blobs.find(blob => blob.digest === digest && blob.part === undefined)?.pieces;
  return found?.length === Math.ceil(size / sums.pieceBytes) ? found : undefined;
}
