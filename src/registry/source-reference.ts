import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";

/** A reference that names everything: registry, and tag or digest. */
export type FullReference = Reference & {
  readonly registry: string;
  /** True if the tag is "latest" because none was given. */
  readonly isTagAssumed?: boolean;
};

/** An image to read, with what is different for it alone. */
export type SourceReference = FullReference & {
  /** Name that it gets in place of its own. */
  readonly name?: string | undefined;
  /** Platforms to take of it. Default: those of the run. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
  /** Other repositories that have it: asked in this order if its own does not serve it. */
  readonly alternatives?: readonly Pick<FullReference, "registry" | "repository">[] | undefined;
  /** Manifests to read with it, all of which must be there. */
  readonly manifests?: readonly Digest[] | undefined;
};
