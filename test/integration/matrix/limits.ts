/** What is known not to go as everywhere else, by subject. Each is a fact of the producer or of a runtime. */
export interface Limit {
  /** The OCI manifest names raw layers: compressing them makes another manifest. */
  readonly isRaw?: boolean;
  /** zstd layers: Docker before 23 loads what `--for docker20` wrote. */
  readonly isZstd?: boolean;
  /** The manifest says gzip, the layer is raw: the manifest is kept, and `verify` says so. */
  readonly isMislabelled?: boolean;
  /** What `ctr images import` before 2.0 wants: it unpacks artifacts too, and this machine's platform unless told. */
  readonly ctrFlag?: string;
}

const raw: Limit = { isRaw: true };
const zstd: Limit = { isZstd: true };
const mislabelled: Limit = { isMislabelled: true };
const artifact: Limit = { ctrFlag: "--no-unpack" };
const arm64: Limit = { ctrFlag: "--platform=linux/arm64" };

export const limits: Readonly<Record<string, Limit>> = {
  "buildx029-oci-raw.tar": raw,
  "ctr16-imported.tar": raw,
  "ctr21-imported.tar": raw,
  "docker28-containerd-raw.tar": raw,
  "dirs/podman43-docker-dir": mislabelled,
  "dirs/podman58-docker-dir": raw,
  "dirs/skopeo122-dir-raw": raw,
  "dirs/skopeo122-oci-raw": mislabelled,
  "ctr16-partial.tar": arm64,
  "ctr21-partial.tar": arm64,
  "oras13-artifact.tar": artifact,
  "buildx029-oci-zstd.tar": zstd,
  "crane020-zstd.tar": zstd,
  "docker28-containerd-zstd.tar": zstd,
  "skopeo122-oci-zstd.tar": zstd,
  "skopeo122-oci-zstd-chunked.tar": zstd,
  "a layer as zstd": zstd,
};
