import type { Digest } from "../../../oci/digest.ts";
import type { StoredContent } from "../../content/served-registry.ts";
import type { ListedImage, Totals } from "./catalogue.ts";
import type { ImageContents } from "./image-contents.ts";
import type { BlobFacts } from "./manifest-facts.ts";

export function catalogueTotals(
  images: readonly ListedImage[],
  contents: ImageContents,
  absent: readonly StoredContent[],
): Totals {
  const total = { bytes: 0, ownBytes: 0, aloneBytes: 0, signed: 0, unsigned: 0, unknown: 0, broken: 0, brokenBytes: 0 };
  const counted = new Set<BlobFacts>();
  for (const { blobs } of contents.all()) {
    for (const blob of blobs) {
      total.aloneBytes += blob.size;
      const uses = contents.usesOf(blob);
      if (uses === 1) total.ownBytes += blob.size;
      if (uses > 1 && counted.has(blob)) continue;
      if (uses > 1) counted.add(blob);
      total.bytes += blob.size;
    }
  }
  const brokenSizes = new Map<Digest, number>(absent.map(({ digest, size }) => [digest, size]));
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
