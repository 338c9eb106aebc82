/**
 * What becomes of raw layers: "auto" and "gzip" compress them at the default level, "gzip:2". "gzip:1" is faster; "gzip:4"
 * to "gzip:12" need several times the CPU time for fewer bytes. "zstd" and "zstd:1" to "zstd:19" need Node 22.15. "keep"
 * leaves raw layers as they are. Layers of gzip and zstd are never changed.
 */
export type Compression = "auto" | "keep" | "gzip" | `gzip:${number}` | "zstd" | `zstd:${number}`;

/** Layers of the archive that is written: as in the source, all gzip, all zstd (from Node 22.15 on), or all uncompressed. */
export type Layers = "keep" | "gzip" | "zstd" | "raw";
export const LAYERS: readonly Layers[] = ["keep", "gzip", "zstd", "raw"];

/**
 * Program that loads archives. "docker20": Docker before 23; "docker": Docker 23 or newer; "ctr": containerd; "kind": also
 * k3d.
 */
export type Loader = "docker20" | "docker" | "podman" | "ctr" | "k3s" | "kind";
export const LOADERS: readonly Loader[] = ["docker20", "docker", "podman", "ctr", "k3s", "kind"];

/**
 * What becomes of an index that names images which the archive does not contain: "prune" leaves those entries out, which
 * changes the digest; "keep" writes the index unchanged; "fail" refuses it.
 */
export type Sparse = "prune" | "keep" | "fail";
export const SPARSE: readonly Sparse[] = ["prune", "keep", "fail"];

/**
 * What becomes of foreign layers that the registry lacks: "skip" leaves them out, "fetch" gets them from the URLs that the
 * image names.
 */
export type Foreign = "skip" | "fetch";
export const FOREIGN: readonly Foreign[] = ["skip", "fetch"];

/** What a single executable of imgpack runs on. */
export type ToolTarget = "linux-x64" | "linux-arm64" | "linux-x64-musl" | "darwin-arm64" | "darwin-x64" | "windows-x64";
export const TOOL_TARGETS: readonly ToolTarget[] = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "darwin-arm64",
  "darwin-x64",
  "windows-x64",
];
