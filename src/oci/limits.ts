/** What registries must take (distribution specification, "Pushing Manifests") and other readers take at most. */
export const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024;
/** An image config; other readers take 4 MiB, and some configs are larger. */
export const MAX_CONFIG_BYTES: number = 8 * 1024 * 1024;
/** `index.json` and `manifest.json` of an archive, which name every image in it: what containerd reads at most. */
export const MAX_ARCHIVE_INDEX_BYTES: number = 20 * 1024 * 1024;
/** All JSON of an archive that is read from beginning to end: it stays in memory until the images are known. */
export const MAX_KEPT_JSON_BYTES: number = 48 * 1024 * 1024;
/** `oci-layout`, which holds one version. */
export const MAX_LAYOUT_HEADER_BYTES: number = 64 * 1024;
/** Indexes inside indexes: real ones need two (security case M-07). */
export const MAX_INDEX_DEPTH = 8;
