// Archives built to the documented shape of producers that cannot be run here, and of what any producer may write.
import { dockerArchives } from "./shape-archives-docker.ts";
import { legacyArchives } from "./shape-archives-legacy.ts";
import { ociArchives } from "./shape-archives-oci.ts";
import type { ShapeArchive } from "./shape-archives-parts.ts";

export type { ShapeArchive } from "./shape-archives-parts.ts";

/** All of them, each under a name of its own; the bytes are the same at every call. */
export function shapeArchives(): readonly ShapeArchive[] {
  return [...legacyArchives(), ...dockerArchives(), ...ociArchives()];
}
