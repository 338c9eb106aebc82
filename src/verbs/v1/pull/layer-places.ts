import { createHash } from "node:crypto";
import type { Digest } from "../../../oci/digest.ts";
import { DOCKER_LAYER, withLayerCompression } from "../../../oci/media-types.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";
import { SMALL_BYTES } from "./layer-shelf.ts";
import type { ReadImage } from "./read-v1-images.ts";
import type { V1Facts } from "./v1-facts.ts";

export function isSmall({ json }: V1ChainLayer): boolean {
  return json.size !== undefined && json.size < SMALL_BYTES;
}

/** Stands for the digest of a layer that was not read yet. A later run has the same for the same layer. */
export function placeholderOf({ key }: V1ChainLayer): Digest {
  return `sha256:${createHash("sha256").update(`layer ${key}`).digest("hex")}`;
}

/** The layers of images, each once: image by image, base first. */
export function layersInOrder(images: readonly ReadImage[]): readonly V1ChainLayer[] {
  const layers = new Map<string, V1ChainLayer>();
  for (const { image } of images)
    for (const layer of image.chain) layers.set(layer.key, layers.get(layer.key) ?? layer);
  return [...layers.values()];
}

/**
 * What is known of small layers, which were read; placeholders for all others, also for those that an earlier run has
 * read: two runs of one command plan the same.
 */
export function draftFacts(layers: readonly V1ChainLayer[], facts: V1Facts): ReadonlyMap<string, MeasuredFacts> {
  const known = layers.filter(isSmall).flatMap(layer => facts.find(layer) ?? []);
  const packed = withLayerCompression(DOCKER_LAYER, facts.repack("none")?.format ?? "none");
  const mediaType = mostFrequent(known.map(({ delivered }) => delivered.mediaType)) ?? packed ?? DOCKER_LAYER;
  return new Map(
    layers.map(layer => {
      const digest = placeholderOf(layer);
      const unknown = { mediaType, digest, size: layer.json.size ?? 0 };
      const found = isSmall(layer) ? facts.find(layer) : undefined;
      return [layer.key, found ?? { stored: unknown, diffId: digest, delivered: unknown }];
    }),
  );
}

/** The digests of layers in the order of an archive. */
export function digestsOf(
  layers: readonly V1ChainLayer[],
  facts: ReadonlyMap<string, MeasuredFacts>,
): readonly Digest[] {
  return layers.flatMap(({ key }) => facts.get(key)?.delivered.digest ?? []);
}

/** Digest → placeholder. Equal layers are where the first of them was. */
export function formerDigests(
  layers: readonly V1ChainLayer[],
  facts: ReadonlyMap<string, MeasuredFacts>,
): ReadonlyMap<Digest, Digest> {
  const former = new Map<Digest, Digest>();
  for (const layer of layers) {
    const digest = facts.get(layer.key)?.delivered.digest;
    if (digest !== undefined && !former.has(digest)) former.set(digest, placeholderOf(layer));
  }
  return former;
}

function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, left], [, right]) => right - left)[0]?.[0];
}
