import type { LayerCompression } from "../../oci/media-types.ts";
import type { TargetCompression } from "../../transform/layers-to-recompress.ts";
import type { Layers } from "../options/choices.ts";
import type { LoaderProfile } from "./loader-profile.ts";

/** No loader but Docker's classic store unpacks these: they are never written. */
const NEVER_WRITTEN: readonly LayerCompression[] = ["xz", "bzip2"];

/** Which layers of written images are recompressed. */
export interface LayerChange {
  readonly target: TargetCompression;
  /** Layers with these compressions; by default all with another one than `target`. */
  readonly only?: ReadonlySet<LayerCompression>;
  /** Start of the note, if the user did not ask for other layers. */
  readonly reason?: string;
}

/** @param layers by default what the loader needs. */
export function layerChange(layers: Layers | undefined, profile: LoaderProfile | undefined): LayerChange {
  if (layers === "gzip" || layers === "raw") return { target: layers };
  const needed = layers === "keep" ? [] : (profile?.unpacksNot ?? []);
  const reason = needed.length > 0 ? `For ${profile?.name}: ` : "For every loader: ";
  return { target: "gzip", only: new Set([...NEVER_WRITTEN, ...needed]), reason };
}
