import type { Digest } from "../../../../oci/digest.ts";
import type { ListedImage } from "../../model/catalogue.ts";
import { type ImageDetails, readImageDetails, type Step, type StepLayer } from "../../model/image-details.ts";
import type { PageRequest } from "../page-result.ts";

/** A layer of an image, before it is read. */
export interface ShownLayer {
  readonly image: ListedImage;
  readonly details: ImageDetails;
  readonly step: Step;
  readonly layer: StepLayer;
  /** Layers of the platform. */
  readonly of: number;
}

/** The platform that is asked for comes first, then the others: layers are shared between them. */
export async function findLayer(
  { registry, catalogue, query, signal }: PageRequest,
  image: ListedImage,
  digest: Digest,
): Promise<ShownLayer | undefined> {
  const all = await catalogue();
  const others = image.platforms.filter(({ state }) => state !== "left out").map(platform => platform.digest);
  for (const wanted of [query.get("platform") ?? undefined, ...others]) {
    const details = await readImageDetails(registry, all, image, wanted, signal);
    const layers = details.steps.filter(({ layer }) => layer !== undefined);
    const step = layers.find(({ layer }) => layer?.digest === digest);
    if (step?.layer !== undefined) return { image, details, step, layer: step.layer, of: layers.length };
  }
  return undefined;
}
