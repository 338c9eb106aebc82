import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { type ManifestView, manifestChildren } from "../../oci/manifest.ts";

/** What is kept of a manifest of an archive while it is open: an archive may have thousands of them. */
export interface ManifestFacts {
  /** Only of an image. */
  readonly config?: Digest;
  /** Number of layers of an image; 0 for the others. */
  readonly layers: number;
  /** Whether it has the form of an image, and is none. */
  readonly isArtifact: boolean;
  /** What may be manifests below it. */
  readonly children: readonly Descriptor[];
  readonly subject?: Digest;
  /** Its entries, if it is an index. */
  readonly listed: readonly Descriptor[];
}

export function manifestFacts(view: ManifestView): ManifestFacts {
  const subject = view.subject === undefined ? {} : { subject: view.subject.digest };
  if (view.kind === "image") {
    const { config, layers } = view;
    const image = { config: config.digest, layers: layers.length, isArtifact: isArtifact(view) };
    return { ...image, children: NONE, listed: NONE, ...subject };
  }
  const children = manifestChildren(view);
  return { layers: 0, isArtifact: false, children, listed: view.kind === "index" ? view.manifests : NONE, ...subject };
}

const NONE: readonly Descriptor[] = [];
