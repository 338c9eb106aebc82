import type { GzipProfile } from "./gzip/gzip-profile.ts";
import type { ZstdProfile } from "./zstd/zstd-profile.ts";

/** How raw layers are compressed. */
export type LayerProfile = GzipProfile | ZstdProfile;
