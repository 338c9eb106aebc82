import { UsageError } from "../../errors.ts";
import type { LayerCompression } from "../../oci/media-types.ts";
import type { TargetCompression } from "../../transform/layers-to-recompress.ts";
import { quote } from "../../util/format.ts";
import type { LoaderProfile } from "./loader-profile.ts";

/** No loader but Docker's classic store unpacks these: they are never written. */
const NEVER_WRITTEN: readonly LayerCompression[] = ["xz", "bzip2"];

/** Which layers of written images are recompressed. */
export interface LayerChange {
  readonly target: TargetCompression;
  /** Layers with these compressions; by default all with another one than `target`. */
  readonly only?: ReadonlySet<LayerCompression>;
  /** Begins the note, if nobody asked for other layers. */
  readonly reason?: string;
}

/**
 * @param layers "keep", "gzip" or "raw"; by default what the loader needs.
 * @throws UsageError for any other text.
 */
export function layerChange(layers: string | undefined, profile: LoaderProfile | undefined): LayerChange {
  if (layers === "gzip" || layers === "raw") return { target: layers };
  if (layers !== undefined && layers !== "keep")
    throw new UsageError(`Cannot write layers as ${quote(layers)}: unknown, expected keep, gzip or raw`);
  const needed = layers === "keep" ? [] : (profile?.unpacksNot ?? []);
  const reason = needed.length > 0 ? `For ${profile?.name}: ` : "For every loader: ";
  return { target: "gzip", only: new Set([...NEVER_WRITTEN, ...needed]), reason };
}
