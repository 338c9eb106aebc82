import type { Digest } from "../../../oci/digest.ts";
import type { ListedImage, Totals } from "./catalogue.ts";
import type { ImageContent } from "./image-content.ts";

/** What all contents have together. */
export interface ContentsTotal {
  blobs(): Iterable<{ readonly size: number; readonly uses: number }>;
  all(): Iterable<ImageContent>;
}

export function catalogueTotals(images: readonly ListedImage[], contents: ContentsTotal): Totals {
  const total = { bytes: 0, ownBytes: 0, aloneBytes: 0, signed: 0, unsigned: 0, unknown: 0, broken: 0, brokenBytes: 0 };
  for (const { size, uses } of contents.blobs()) {
    total.bytes += size;
    total.aloneBytes += size * uses;
    if (uses === 1) total.ownBytes += size;
  }
  const brokenSizes = new Map<Digest, number>();
  for (const { signatures, broken } of images) {
    if (typeof signatures === "number") total.signed += 1;
    else if (signatures === "none") total.unsigned += 1;
    else total.unknown += 1;
    if (broken.length > 0) total.broken += 1;
    for (const { digest, size } of broken) brokenSizes.set(digest, size);
  }
  for (const size of brokenSizes.values()) total.brokenBytes += size;
  return total;
}
