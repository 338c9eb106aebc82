/** What registries must accept (distribution specification, "Pushing Manifests"), and the limit of other readers. */
export const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024;
/** An image config. Other readers accept 4 MiB, but some configs are larger. */
export const MAX_CONFIG_BYTES: number = 8 * 1024 * 1024;
/** `index.json` and `manifest.json` of an archive, which list all images: containerd's limit. */
export const MAX_ARCHIVE_INDEX_BYTES: number = 20 * 1024 * 1024;
/** What skopeo and podman read of a `manifest.json`; measured with skopeo 1.9 and 1.22, and podman 4.3. */
export const MAX_SKOPEO_MANIFEST_BYTES: number = 1024 * 1024;
/** All JSON of an archive that is read sequentially: it stays in memory until the images are known. */
export const MAX_KEPT_JSON_BYTES: number = 48 * 1024 * 1024;
/** `oci-layout`, which contains one version. */
export const MAX_LAYOUT_HEADER_BYTES: number = 64 * 1024;
/** Levels of indexes in indexes; real images need two (security case M-07). */
export const MAX_INDEX_DEPTH = 8;
