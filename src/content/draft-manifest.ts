import { InternalError } from "../errors.ts";
import { buildDockerManifest, buildImageManifest } from "../oci/build-manifest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { RawManifest } from "../oci/manifest.ts";
import { DOCKER_MANIFEST } from "../oci/media-types.ts";
import type { ManifestDraft, PendingBlob, PendingKey, Seal } from "./contracts.ts";

export function isPending(layer: Descriptor | PendingBlob): layer is PendingBlob {
  return "key" in layer;
}

/** The manifest of a draft. @throws InternalError for a pending layer without a seal. */
export function draftManifest(draft: ManifestDraft, seals: ReadonlyMap<PendingKey, Seal>): RawManifest {
  const layers = draft.layers.map(layer => {
    if (!isPending(layer)) return layer;
    const seal = seals.get(layer.key);
    if (seal === undefined)
      throw new InternalError(`Cannot build manifest from layers: ${layer.key} has no digest yet`);
    return seal.descriptor;
  });
  const { mediaType, config, annotations } = draft;
  return mediaType === DOCKER_MANIFEST
    ? buildDockerManifest(config, layers)
    : buildImageManifest(config, layers, annotations);
}
