import { ANNOTATION_REFERENCE_DIGEST } from "../../../oci/annotations.ts";
import { type Descriptor, platformLabel } from "../../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../../oci/digest.ts";
import { isArtifact } from "../../../oci/is-artifact.ts";
import { type ManifestView, parseManifest } from "../../../oci/manifest.ts";
import { isImageConfigType, OCI_EMPTY } from "../../../oci/media-types.ts";
import { artifactTypeOf, type ReferrerKind, referrerKind } from "../../../oci/referrers/referrer-kind.ts";

/** A blob that a manifest names. */
export interface BlobFacts {
  /** From 0, one for each blob that was read of: counts of a hundred thousand blobs are kept by it. */
  readonly id: number;
  readonly digest: Digest;
  /** Bytes, as the manifest claims. */
  readonly size: number;
  /** A layer that its publisher asks not to push: it may be absent from any registry. */
  readonly isForeign: boolean;
}

/** A manifest that an index names. */
export interface ChildFacts {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly label: string;
  /** Of an attestation of BuildKit: the manifest that it is for. */
  readonly attests: Digest | undefined;
}

/** What a list of images needs of a manifest. The view of 10,000 manifests, with their annotations, would be too much. */
export interface ManifestFacts {
  readonly kind: ManifestView["kind"] | "unreadable";
  readonly artifactType: string | undefined;
  readonly referrerKind: ReferrerKind;
  readonly isArtifact: boolean;
  readonly children: readonly ChildFacts[];
  readonly config: BlobFacts | undefined;
  readonly layers: readonly BlobFacts[];
}

export const UNREADABLE: ManifestFacts = {
  kind: "unreadable",
  artifactType: undefined,
  referrerKind: "other",
  isArtifact: false,
  children: [],
  config: undefined,
  layers: [],
};

/**
 * @param shared gives one object for equal blobs of many images
 * @returns UNREADABLE for what no parser accepts: one such image does not hide the others.
 */
export function manifestFacts(
  bytes: Uint8Array,
  mediaType: string,
  shared: (blob: Descriptor) => BlobFacts,
): ManifestFacts {
  const view = readView(bytes, mediaType);
  if (view === undefined) return UNREADABLE;
  return {
    kind: view.kind,
    artifactType: contentType(view),
    referrerKind: referrerKind(view),
    isArtifact: view.kind === "other" || (view.kind === "image" && isArtifact(view)),
    children: view.kind === "index" ? view.manifests.map(childFacts) : [],
    config: view.kind === "image" ? shared(view.config) : undefined,
    layers: view.kind === "image" ? view.layers.map(shared) : view.kind === "other" ? view.blobs.map(shared) : [],
  };
}

/** Tools without an `artifactType` use the config type of an image: then the first layer says what it is. */
function contentType(view: ManifestView): string | undefined {
  const type = artifactTypeOf(view);
  const isVague = type === undefined || type === OCI_EMPTY || isImageConfigType(type);
  return (isVague && view.kind === "image" ? view.layers[0]?.mediaType : undefined) ?? type;
}

/** Undefined for what no parser accepts. */
export function readView(bytes: Uint8Array, mediaType: string): ManifestView | undefined {
  try {
    return parseManifest(bytes, { announced: mediaType, where: "served registry" });
  } catch {
    return undefined;
  }
}

function childFacts(descriptor: Descriptor): ChildFacts {
  const { digest, size, annotations } = descriptor;
  const about = annotations?.[ANNOTATION_REFERENCE_DIGEST];
  return { digest, size, label: platformLabel(descriptor), attests: isDigest(about) ? about : undefined };
}
