import type { PendingBlob, Root } from "../../content/contracts.ts";
import { isPending } from "../../content/draft-manifest.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { getManifest, type ManifestPlace } from "../../registry/api/manifests.ts";

/** Less than this is compressed and looked up in less time than the question takes. */
const WORTH_ASKING_BYTES = 1024 * 1024;

export interface PresentImages {
  /** Tags that stand for the image already. */
  readonly present: readonly { readonly tag: string; readonly descriptor: Descriptor }[];
  /** What is left to push, with its place in the given roots. */
  readonly absent: readonly (readonly [number, Root])[];
}

/** Takes out of a push what the registry has under the same tags. */
export async function findPresent(
  place: ManifestPlace,
  roots: readonly Root[],
  cache: DigestCache,
): Promise<PresentImages> {
  const present: PresentImages["present"][number][] = [];
  const absent: PresentImages["absent"][number][] = [];
  for (const [index, root] of roots.entries()) {
    const names: string[] = [];
    for (const tag of root.names) {
      const descriptor = await presentImage(place, tag, root, cache);
      if (descriptor === undefined) names.push(tag);
      else present.push({ tag, descriptor });
    }
    if (names.length > 0) absent.push([index, { ...root, names }]);
  }
  return { present, absent };
}

/**
 * The manifest under a tag, if it is the image that is about to be pushed there: the same config, so the same diff_ids.
 * Asked only where a yes saves work, which is when a raw layer of some size would have to be compressed first.
 *
 * A no is always safe, so whatever goes wrong here is one.
 */
async function presentImage(
  place: ManifestPlace,
  tag: string,
  root: Root,
  cache: DigestCache,
): Promise<Descriptor | undefined> {
  if (root.kind === "settled" || !root.draft.layers.some(layer => isPending(layer) && isWork(layer, cache)))
    return undefined;
  const { config, layers } = root.draft;
  try {
    const { descriptor, manifest } = await getManifest({ ...place, actions: "pull,push" }, tag);
    const view = parseManifest(manifest.bytes, { where: tag, announced: manifest.mediaType });
    const isSame =
      view.kind === "image" && view.config.digest === config.digest && view.layers.length === layers.length;
    return isSame ? descriptor : undefined;
  } catch {
    place.signal?.throwIfAborted();
    return undefined;
  }
}

function isWork(layer: PendingBlob, cache: DigestCache): boolean {
  return layer.sourceBytes > WORTH_ASKING_BYTES && cache.find(layer.key) === undefined;
}
