import type { BlobSource } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ArchiveSource } from "../archive-source.ts";

/** Bytes of blobs in files of their own: parts by their number, or pieces by their first byte. */
export type NumberedSlices = Map<Digest, Map<number, BlobSource>>;

/**
 * @param parse what the name of an entry says.
 * @returns of two files with one name, the first one; none of an empty file.
 */
export function numberedSlices<Named extends { readonly digest: Digest }>(
  archives: Iterable<ArchiveSource>,
  parse: (name: string) => Named | undefined,
  numberOf: (named: Named) => number,
): NumberedSlices {
  const found: NumberedSlices = new Map();
  for (const { archive } of archives) {
    for (const [name, entry] of archive.entries) {
      const named = entry.type === "file" && entry.size > 0 ? parse(name) : undefined;
      if (named === undefined) continue;
      const number = numberOf(named);
      const slices = found.get(named.digest) ?? new Map<number, BlobSource>();
      if (!slices.has(number)) slices.set(number, archive.slice(entry));
      found.set(named.digest, slices);
    }
  }
  return found;
}
