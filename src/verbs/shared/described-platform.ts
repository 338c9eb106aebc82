import type { Digest } from "../../oci/digest.ts";
import type { InspectedLayer, InspectedPlatform } from "./describe-images.ts";

/** With the step of the build that made it, where the config tells. */
export interface DescribedLayer extends InspectedLayer {
  /** RFC 3339, as written. */
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
}

export interface DescribedPlatform extends Omit<InspectedPlatform, "layers" | "config"> {
  /** Absent in a manifest of schema 1, which names none. */
  readonly config?: Digest;
  readonly layers: readonly DescribedLayer[];
  /** Sum of the layers, as stored. */
  readonly layerBytes: number;
}
