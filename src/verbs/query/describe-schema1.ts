import type { Digest } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/image-config.ts";
import { DOCKER_LAYER_GZIP } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { parseSchema1 } from "../../oci/schema1/schema1.ts";
import { schema1Config } from "../../oci/schema1/schema1-config.ts";
import { blobSize } from "../../registry/api/blobs.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { runBounded } from "../../util/task-group.ts";
import type { DescribedPlatform } from "../shared/described-platform.ts";

const SIZES_CONCURRENCY = 6;

/**
 * What a manifest of schema 1 says. It names no config and no diff_ids, which only a conversion finds, and no sizes:
 * the registry is asked for those.
 */
export async function describeSchema1(
  repository: Repository,
  digest: Digest,
  payload: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<DescribedPlatform> {
  const name = `${repository}`;
  const view = parseSchema1(payload, name);
  const found = parseImageConfig(schema1Config(view, [], name), name);
  const sizes = new Map<Digest, number>();
  await runBounded(
    new Set(view.steps.flatMap(({ layer }) => layer ?? [])),
    SIZES_CONCURRENCY,
    async (layer, stop) => void sizes.set(layer, await blobSize(repository, layer, stop)),
    signal,
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
