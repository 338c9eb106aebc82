import type { Digest } from "../../oci/digest.ts";
import type { InspectedLayer, InspectedPlatform } from "./describe-images.ts";

/** A layer, with the build step that made it if the config says it. */
export interface DescribedLayer extends InspectedLayer {
  /** RFC 3339, as written. */
  readonly created?: string;
  /** Build instruction. Foreign text. */
  readonly createdBy?: string;
  readonly comment?: string;
}

/** An image for one platform. */
export interface DescribedPlatform extends Omit<InspectedPlatform, "layers" | "config"> {
  /** Absent in a manifest of schema 1, which names no config. */
  readonly config?: Digest;
  readonly layers: readonly DescribedLayer[];
  /** Sum of the layers, as stored. */
  readonly layerBytes: number;
}
