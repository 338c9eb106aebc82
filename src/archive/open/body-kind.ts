import { type Compression, detectCompression } from "../../compress/detect.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../../oci/limits.ts";
import { BLOCK_BYTES, hasChecksum, isZero } from "../../tar/header.ts";

/** What a body looks like: a raw layer, a compressed one, a JSON document, or something else. */
export type BodyKind = "tar" | "json" | "other" | Compression;

const JSON_START = /^[\t\n\r ]*[[{]/;

/** Decides by content, never by name. @param start the first 512 bytes, or all of a shorter body. */
export function bodyKind(start: Uint8Array, size: number): BodyKind {
  const compression = detectCompression(start);
  if (compression !== undefined) return compression;
  // An empty tar is two blocks of zeros.
  const isTar = start.length === BLOCK_BYTES && (hasChecksum(start) || (isZero(start) && size >= 2 * BLOCK_BYTES));
  if (isTar) return "tar";
  const isJson = size <= MAX_ARCHIVE_INDEX_BYTES && JSON_START.test(Buffer.from(start).toString("latin1"));
  return isJson ? "json" : "other";
}
