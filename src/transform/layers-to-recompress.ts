import type { CopyPlan, ImageSource } from "../content/contracts.ts";
import { isPending } from "../content/draft-manifest.ts";
import { readBlob } from "../content/pump.ts";
import { verified } from "../content/verified.ts";
import { ArchiveError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { isArtifact } from "../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../oci/limits.ts";
import { isForeignLayerType, type LayerCompression, layerCompression } from "../oci/media-types.ts";

export type TargetCompression = "gzip" | "zstd" | "raw";

/** The compression of layers that are written so. */
export function writtenCompression(target: TargetCompression): LayerCompression {
  return target === "raw" ? "none" : target;
}

export interface LayerToRecompress {
  readonly layer: Descriptor;
  readonly diffId: Digest;
}

interface Image {
  readonly what: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds?: readonly Digest[] | undefined;
}

/** Whether a layer needs recompression. Foreign layers, which must not be distributed, never do. */
export function isRecompressed(
  { mediaType }: Descriptor,
  target: TargetCompression,
  only: ReadonlySet<LayerCompression> | undefined,
): boolean {
  const found = layerCompression(mediaType);
  if (found === undefined || found === writtenCompression(target) || isForeignLayerType(mediaType)) return false;
  return only === undefined || only.has(found);
}

/**
 * The layers to recompress, by digest, with their diff_ids.
 *
 * @param only layers with these compressions (default: all with another one than the target).
 * @throws ArchiveError "layer-count" if a config and its manifest have different numbers of layers.
 */
export async function layersToRecompress(
  source: ImageSource,
  plan: CopyPlan,
  target: TargetCompression,
  only: ReadonlySet<LayerCompression> | undefined,
  signal?: AbortSignal,
): Promise<ReadonlyMap<Digest, LayerToRecompress>> {
  const found = new Map<Digest, LayerToRecompress>();
  for (const image of imagesOf(plan)) {
    if (!image.layers.some(layer => isRecompressed(layer, target, only))) continue;
    const diffIds = image.diffIds ?? (await readDiffIds(source, image, signal));
    for (const [index, layer] of image.layers.entries()) {
      const diffId = diffIds[index];
      if (diffId !== undefined && isRecompressed(layer, target, only)) found.set(layer.digest, { layer, diffId });
    }
  }
  return found;
}

/** Layers of an artifact are no root filesystem: they do not change. */
function imagesOf(plan: CopyPlan): readonly Image[] {
  const images: Image[] = [];
  for (const { view, descriptor } of plan.manifests.values()) {
    if (view.kind === "image" && !isArtifact(view))
      images.push({ what: descriptor.digest, config: view.config, layers: view.layers });
  }
  for (const root of plan.roots) {
    if (root.kind === "settled") continue;
    const { config, diffIds } = root.draft;
    const layers = root.draft.layers.flatMap(layer => (isPending(layer) ? [] : [layer]));
    images.push({ what: root.names[0] ?? config.digest, config, layers, diffIds });
  }
  return images;
}

async function readDiffIds(
  source: ImageSource,
  { config, layers, what }: Image,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const where = `config ${config.digest}`;
  const blob = verified(config, await source.blob(config, signal), where);
  const { diffIds } = parseImageConfig(await readBlob(blob, MAX_CONFIG_BYTES, signal), where);
  if (diffIds.length === layers.length) return diffIds;
  throw new ArchiveError(
    "layer-count",
    `Cannot read image ${what}: ${layers.length} layers in its manifest, expected ${diffIds.length} as in its config`,
  );
}
