import { dockerImage, notLoadable } from "../../archive/write/build-metadata.ts";
import type { CopyPlan } from "../../content/contracts.ts";
import { ArchiveError, UsageError } from "../../errors.ts";
import type { LayerCompression } from "../../oci/media-types.ts";
import type { Platform } from "../../oci/platform.ts";
import type { Loader } from "../options/choices.ts";
import type { OpenedOutput } from "../output/open-output.ts";

/** What a loader does not accept. Everything else is written unchanged: default archives load everywhere. */
export interface LoaderProfile {
  /** As messages name it. */
  readonly name: string;
  /** Compressions of layers that it cannot unpack, in addition to xz and bzip2: such layers become gzip. */
  readonly unpacksNot: readonly LayerCompression[];
  /** True if it loads only images with a config; containerd imports any artifact. */
  readonly needsConfig: boolean;
  /** True if it imports all platforms of an index, and fails at one that is not in the archive. */
  readonly importsAll: boolean;
}

// Measured with Docker 20.10 and 28, podman 4.3 and 5.4, containerd 1.6 and 2.1. kind and k3s until 1.30.1 import as
// `ctr images import --all-platforms` (kubernetes-sigs/kind#3795, k3s-io/k3s#10132).
const PROFILES: Readonly<Record<Loader, LoaderProfile>> = {
  docker20: { name: "Docker 20", unpacksNot: ["zstd"], needsConfig: true, importsAll: false },
  docker: { name: "Docker", unpacksNot: [], needsConfig: true, importsAll: false },
  podman: { name: "podman", unpacksNot: [], needsConfig: true, importsAll: false },
  ctr: { name: "containerd", unpacksNot: [], needsConfig: false, importsAll: false },
  k3s: { name: "k3s", unpacksNot: [], needsConfig: false, importsAll: true },
  kind: { name: "kind", unpacksNot: [], needsConfig: false, importsAll: true },
};

export function loaderProfile(loader: Loader): LoaderProfile {
  return PROFILES[loader];
}

/** @throws UsageError for an output that the loader cannot read; Docker's classic store reads `manifest.json` alone. */
export function checkOutput({ kind, format }: OpenedOutput, profile: LoaderProfile): void {
  if (kind === "folder") {
    throw new UsageError(`Cannot write folder for ${profile.name}: it loads a tar, expected a file or -`, {
      hint: "Leave out --for, or name a file such as images.tar.",
    });
  }
  if (format === "oci" && profile.needsConfig) {
    throw new UsageError(
      `Cannot write for ${profile.name} with --format oci: it needs manifest.json, expected universal`,
      { hint: "Leave out --format." },
    );
  }
}

/**
 * Notes the planned artifacts that the loader will not load.
 *
 * @throws ArchiveError "no-image" if that is all of them.
 */
export function checkLoads(
  plan: CopyPlan,
  profile: LoaderProfile,
  platform: Platform,
  onNote: (message: string) => void,
): void {
  if (!profile.needsConfig) return;
  const others: string[] = [];
  for (const root of plan.roots) {
    if (root.kind === "draft" || dockerImage(plan, root.descriptor, platform) !== undefined) continue;
    others.push(root.names[0] ?? root.descriptor.digest);
  }
  if (others.length === 0) return;
  if (others.length === plan.roots.length) {
    throw new ArchiveError(
      "no-image",
      `Cannot write archive for ${profile.name}: ${others.join(", ")} is another artifact, expected an image`,
      { hint: "Leave out --for to write the archive for a registry or for oras." },
    );
  }
  for (const name of others)
    onNote(`${name} is ${notLoadable(plan)}: the archive contains it, but ${profile.name} will not load it`);
}
