import type { Digest } from "../../oci/digest.ts";
import { type ManifestView, manifestChildren } from "../../oci/manifest.ts";
import { isForeignLayerType, isManifestType } from "../../oci/media-types.ts";

/** Configs and layers that the manifests of an archive name, and their sizes in bytes: of each digest one number is kept. */
export class NamedBlobs {
  readonly configs: Map<Digest, number> = new Map();
  readonly layers: Map<Digest, number> = new Map();

  /** Adds what a manifest names, but for foreign layers that are not there: an archive need not have them. */
  add(view: ManifestView, has: (digest: Digest) => boolean): void {
    if (view.kind === "image") this.configs.set(view.config.digest, view.config.size);
    for (const { digest, size, mediaType } of view.kind === "image" ? view.layers : manifestChildren(view)) {
      if (view.kind === "index" && isManifestType(mediaType)) continue;
      if (isForeignLayerType(mediaType) && !has(digest)) continue;
      this.layers.set(digest, size);
    }
  }
}
