import type { Digest } from "../oci/digest.ts";
import type { Root } from "./contracts.ts";

/** What names an image that has no name: the digest of its manifest, or of its config if it has no manifest yet. */
export function idOf(root: Root): Digest {
  return root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest;
}
