import { zstdProfile } from "../../compress/zstd/zstd-profile.ts";
import { UsageError } from "../../errors.ts";
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

/** For layers that are written with zstd. */
export const ZSTD_NOTE = "Docker before 23 and containerd before 1.5 cannot unpack zstd layers";

/**
 * @param layers by default what the loader needs.
 * @throws UsageError for zstd if the loader, or this Node, does not support it.
 */
export function layerChange(layers: Layers | undefined, profile: LoaderProfile | undefined): LayerChange {
  if (layers === "zstd") {
    zstdProfile();
    if (profile?.unpacksNot.includes("zstd") === true) {
      throw new UsageError(
        `Cannot write zstd layers for ${profile.name}: it cannot unpack them, expected gzip or raw`,
        {
          hint: "Leave out --layers: gzip is what it needs.",
        },
      );
    }
  }
  if (layers === "gzip" || layers === "zstd" || layers === "raw") return { target: layers };
  const needed = layers === "keep" ? [] : (profile?.unpacksNot ?? []);
  const reason = needed.length > 0 ? `For ${profile?.name}: ` : "For every loader: ";
  return { target: "gzip", only: new Set([...NEVER_WRITTEN, ...needed]), reason };
}
