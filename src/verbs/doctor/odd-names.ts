import { type ArchiveNames, hasIPv6Registry } from "../../oci/archive-names.ts";
import { isDigest } from "../../oci/digest.ts";

/** Names that make loaders refuse an archive: "bad" ones, those of a registry at an IPv6 address, names without a tag. */
export type OddName = "bad" | "ipv6" | "untagged";

interface OddlyNamed extends ArchiveNames {
  /** Only of an image in manifest.json: index.json may leave the tag out. */
  readonly hasUntaggedName?: boolean;
}

/** The kinds of odd names that some images have. */
export function oddNames(images: readonly OddlyNamed[]): ReadonlySet<OddName> {
  const found = new Set<OddName>();
  for (const { names, badNames, hasUntaggedName } of images) {
    // Docker and podman take a digest for a repository and a tag.
    if (badNames.some(text => !isDigest(text))) found.add("bad");
    if (names.some(hasIPv6Registry)) found.add("ipv6");
    if (hasUntaggedName === true) found.add("untagged");
  }
  return found;
}
