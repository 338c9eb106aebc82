import type { PendingBlob, Root } from "../../content/contracts.ts";
import { isPending } from "../../content/draft-manifest.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { getManifest } from "../../registry/api/get-manifest.ts";
import type { Repository } from "../../registry/client/repository.ts";

/** A smaller layer is compressed and looked up in less time than the request takes. */
const WORTH_ASKING_BYTES = 1024 * 1024;

export interface AlreadyPushed {
  /** Tags that name the image already. */
  readonly present: readonly { readonly tag: string; readonly descriptor: Descriptor }[];
  /** What is left to push, with its index in the given roots. */
  readonly absent: readonly (readonly [number, Root])[];
}

/** Takes out of a push what the registry has under the same tags. */
export async function findAlreadyPushed(
  repository: Repository,
  roots: readonly Root[],
  cache: DigestCache,
  signal?: AbortSignal,
): Promise<AlreadyPushed> {
  const present: AlreadyPushed["present"][number][] = [];
  const absent: AlreadyPushed["absent"][number][] = [];
  for (const [index, root] of roots.entries()) {
    const names: string[] = [];
    for (const tag of root.names) {
      const descriptor = await presentImage(repository, tag, root, cache, signal);
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
  repository: Repository,
  tag: string,
  root: Root,
  cache: DigestCache,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  if (root.kind === "settled" || !root.draft.layers.some(layer => isPending(layer) && isWork(layer, cache)))
    return undefined;
  const { config, layers } = root.draft;
  try {
    const { descriptor, manifest } = await getManifest(repository, tag, { signal });
    const view = parseManifest(manifest.bytes, { where: tag, announced: manifest.mediaType });
    const isSame =
      view.kind === "image" && view.config.digest === config.digest && view.layers.length === layers.length;
    return isSame ? descriptor : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function isWork(layer: PendingBlob, cache: DigestCache): boolean {
  return layer.sourceBytes > WORTH_ASKING_BYTES && cache.find(layer.key) === undefined;
}
