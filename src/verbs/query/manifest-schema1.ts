import type { Digest } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/image-config.ts";
import { DOCKER_LAYER_GZIP } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { parseSchema1 } from "../../oci/schema1/schema1.ts";
import { schema1Config } from "../../oci/schema1/schema1-config.ts";
import { blobSize } from "../../registry/api/blob-size.ts";
import type { ManifestPlace } from "../../registry/api/manifests.ts";
import { runBounded } from "../../util/bounded.ts";
import type { DescribedPlatform } from "../shared/described-platform.ts";

const SIZES_CONCURRENCY = 6;

/**
 * What a manifest of schema 1 says. It names no config and no diff_ids, which only a conversion tells, and no sizes:
 * the registry does.
 */
export async function describeSchema1(
  place: ManifestPlace,
  digest: Digest,
  payload: Uint8Array,
): Promise<DescribedPlatform> {
  const name = `${place.client.registry}/${place.repository}`;
  const view = parseSchema1(payload, name);
  const found = parseImageConfig(schema1Config(view, [], name), name);
  const sizes = new Map<Digest, number>();
  await runBounded(
    new Set(view.steps.flatMap(({ layer }) => layer ?? [])),
    SIZES_CONCURRENCY,
    async (layer, signal) => void sizes.set(layer, await blobSize({ ...place, signal }, layer)),
    place.signal,
  );
  const layers = view.steps.flatMap(({ layer }, step) => {
    const { emptyLayer: _, ...instruction } = found.history[step] ?? { emptyLayer: false };
    if (layer === undefined) return [];
    return [{ digest: layer, size: sizes.get(layer) ?? 0, mediaType: DOCKER_LAYER_GZIP, ...instruction }];
  });
  return {
    platform: formatPlatform(found),
    digest,
    ...(found.created === undefined ? {} : { created: found.created }),
    layers,
    history: found.history,
    runtime: found.runtime,
    layerBytes: layers.reduce((sum, { size }) => sum + size, 0),
  };
}
