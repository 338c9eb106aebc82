import { type ArchiveNames, hasIPv6Registry } from "../../oci/archive-names.ts";
import { isDigest } from "../../oci/digest.ts";
import { parseReference } from "../../oci/reference.ts";

/** Names that make loaders refuse an archive: "bad" ones, those of a registry at an IPv6 address, digests without a tag. */
export type OddName = "bad" | "ipv6" | "untagged";

/** The kinds of odd names that some images have. */
export function oddNames(images: readonly ArchiveNames[]): ReadonlySet<OddName> {
  const found = new Set<OddName>();
  for (const { names, badNames } of images) {
    // Docker and podman take a digest for a repository and a tag.
    if (badNames.some(text => !isDigest(text))) found.add("bad");
    if (names.some(hasIPv6Registry)) found.add("ipv6");
    if (names.some(name => parseReference(name).tag === undefined)) found.add("untagged");
  }
  return found;
}
