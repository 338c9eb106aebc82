import type { PackedBlob, PackedImage, VolumeRequest } from "../../bundle/volumes/volume-request.ts";
import type { CopyPlan, SettledRoot } from "../../content/contracts.ts";
import { buildImageIndex } from "../../oci/build-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { MAX_SKOPEO_MANIFEST_BYTES } from "../../oci/limits.ts";
import { closureOf } from "../lock/plan-lock.ts";
import { layoutReferrers } from "../referrers/layout-referrers.ts";
import { type ArchiveContentsOptions, dockerManifestBytes } from "../write/archive-contents.ts";
import { buildMetadata, rootOwners } from "../write/build-metadata.ts";

/** Bytes of the list around the names of images. */
const LIST_BYTES = 256;

/** What is to be spread, apart from the sizes of volumes. */
export function volumeRequest(
  plan: CopyPlan,
  roots: readonly SettledRoot[],
  options: ArchiveContentsOptions,
): Pick<VolumeRequest, "blobs" | "images" | "maxNamesBytes"> {
  return {
    blobs: [
      ...[...plan.manifests.values()].map(({ descriptor }) => packedBlob(descriptor, false)),
      ...plan.blobs.map(blob => packedBlob(blob, true)),
    ],
    images: roots.map(root => packedImage(plan, root, options)),
    maxNamesBytes: MAX_SKOPEO_MANIFEST_BYTES - LIST_BYTES,
  };
}

/** Manifests are read often, and names of parts have room for a sha256. */
function packedBlob({ digest, size }: Descriptor, isDivisible: boolean): PackedBlob {
  return { digest, size, isDivisible: isDivisible && digestAlgorithm(digest) === "sha256" };
}

function packedImage(plan: CopyPlan, root: SettledRoot, options: ArchiveContentsOptions): PackedImage {
  const { manifests, configs, layers } = closureOf(plan, [root.descriptor]);
  const referring = closureOf(
    plan,
    (root.referrers?.found ?? []).map(({ descriptor }) => descriptor),
  );
  return {
    digest: root.descriptor.digest,
    blobs: [...manifests, ...configs, ...layers],
    others: [...referring.manifests, ...referring.configs, ...referring.layers],
    // Names of blobs are as long whether they are listed or not, and listing all for each image takes minutes.
    nameBytes: nameBytes({ ...plan, roots: [root], blobs: [] }, root, options),
  };
}

/** With the root alone it has at least as many names as among others. */
function nameBytes(plan: CopyPlan, root: SettledRoot, options: ArchiveContentsOptions): readonly [number, number] {
  const { platform, format = "universal", lock = { platforms: "all", sparse: "keep" } } = options;
  const referrers = format === "oci" ? layoutReferrers(plan) : { entries: [], manifests: [] };
  const volume = { lock: new Uint8Array(0), roots: [root], owners: rootOwners([root]), assumed: new Set<Digest>() };
  const nameOf = (digest: string): string => digest;
  const files = buildMetadata(plan, {
    platform,
    format: "oci",
    lock,
    volume,
    referrers: referrers.entries,
    nameOf,
  });
  const [, index] = files;
  const made = referrers.manifests.reduce((sum, { bytes }) => sum + bytes.length + 1024, 0);
  return [
    (index?.bytes.length ?? 0) - EMPTY_INDEX_BYTES + 1 + made,
    format === "oci" ? 0 : dockerManifestBytes(plan, { platform, format }),
  ];
}

const EMPTY_INDEX_BYTES = buildImageIndex([]).bytes.length;
