import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { PIECE_BYTES } from "../../bundle/need/parse-need.ts";
import type { PackedPart } from "../../bundle/volumes/volume-request.ts";
import type { CopyPlan, PlannedManifest } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestHex } from "../../oci/digest.ts";
import { layerCompression } from "../../oci/media-types.ts";
import type { Platform } from "../../oci/platform.ts";
import type { SignLock } from "../../oci/signatures/lock-signature.ts";
import { planTar, type TarPlan } from "../../tar/tar-plan.ts";
import { blobName } from "../blob-name.ts";
import { absentName, partName, SUMS_FILE } from "../entry-names.ts";
import type { LockSettings } from "../lock/plan-lock.ts";
import { type CarriedInVolume, layoutReferrers } from "../referrers/layout-referrers.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { assumedDigests, buildMetadata, dockerAssumed, dockerManifest, type VolumeMetadata } from "./build-metadata.ts";
import { PlannedSums } from "./planned-sums.ts";

/**
 * Form of an archive that is written. "universal": OCI layout and docker archive in one; "oci": an OCI layout alone;
 * "docker": `manifest.json`, configs and layers, as `docker save` before version 25 writes them.
 */
export type ArchiveFormat = "universal" | "oci" | "docker";

export interface ArchiveContentsOptions {
  /** The platform that `manifest.json` names, for an image with several. */
  readonly platform: Platform;
  /** Default "universal". */
  readonly format?: ArchiveFormat | undefined;
  /** What the lock says in addition to the plan. Default: all platforms that the source has. */
  readonly lock?: LockSettings | undefined;
  /** Signs the lock; a docker archive has none. Default: it is not signed. */
  readonly signLock?: SignLock | undefined;
  /**
   * Layers that come last, in this order: their places then depend on their sizes alone, and are known before their
   * digests. Default: layers are sorted by digest.
   */
  readonly layerOrder?: readonly Digest[] | undefined;
  /** False for a folder, which has no last entry. Default true; a docker archive has no sums either. */
  readonly sums?: boolean | undefined;
  /** For tests. Default PIECE_BYTES. */
  readonly pieceBytes?: number | undefined;
  /** What one volume of a set contains. Default: the archive contains everything. */
  readonly volume?: VolumeContents | undefined;
}

export interface VolumeContents extends VolumeMetadata, CarriedInVolume {
  /** Those that it has. */
  readonly manifests: readonly PlannedManifest[];
  /** Configs and layers that it has whole. */
  readonly blobs: readonly Descriptor[];
  /** All configs of the bundle. */
  readonly configs: ReadonlySet<Digest>;
  readonly parts: readonly PackedPart[];
  /** False if other volumes have the lock as well. */
  readonly isAlone: boolean;
}

/** All files of an archive in order, for a tar, a stream or a folder. */
export interface ArchiveContents {
  readonly files: readonly ArchiveFile[];
  /** Names of configs and layers, which come from the source. */
  readonly names: ReadonlyMap<Digest, string>;
  /** What the last file gets, if there are sums. */
  readonly sums: PlannedSums | undefined;
  readonly totalBytes: number;
}

const LATE = { bytes: undefined, digest: undefined } as const;
const EXTENSIONS = { none: ".tar", gzip: ".tar.gz", zstd: ".tar.zst", xz: ".tar.xz", bzip2: ".tar.bz2" } as const;

/**
 * Plans the files of an archive: metadata first, then manifests, configs and layers, each sorted by digest, then sums. The
 * same plan gives the same archive, byte for byte.
 *
 * @throws ArchiveError "no-image" for a docker archive without an image.
 */
export function archiveContents(plan: CopyPlan, options: ArchiveContentsOptions): ArchiveContents {
  const { platform, format = "universal", lock = { platforms: "all", sparse: "keep" }, volume } = options;
  const configs = volume?.configs ?? configDigests(plan);
  const blobs = volume?.blobs ?? plan.blobs;
  const names = volume === undefined ? blobNames(plan, format) : namesInVolume(volume);
  const assumed = volume?.assumed ?? assumedDigests(plan);
  // A part is nothing that a loader could use.
  const nameOf = entryNameOf(assumed, volume === undefined ? names : new Map());
  const places = new Map([...new Set(options.layerOrder)].map((digest, place) => [digest, place]));
  // Entries for them would keep loaders from loading the images: containerd, and skopeo for an image without a name.
  const referrers = format === "oci" ? layoutReferrers(plan, volume) : { entries: [], manifests: [] };
  const metadata = buildMetadata(plan, {
    platform,
    format,
    lock,
    signLock: options.signLock,
    volume,
    referrers: referrers.entries,
    nameOf,
  });
  // Loaders look for a file per layer, and read none of those that they have: an empty one is enough.
  const placeholders = format === "universal" ? dockerAssumed(plan, platform, volume) : [];
  if (format === "docker" && metadata.length === 0) {
    throw new ArchiveError("no-image", "Cannot write docker archive: no image to write, expected at least one", {
      hint: "A docker archive cannot contain charts, signatures and other artifacts: leave out --format docker.",
    });
  }
  const carried = volume?.manifests ?? [...plan.manifests.values()];
  const manifests = format === "docker" ? [] : [...carried, ...referrers.manifests];
  const fileOf = ({ digest, size }: Descriptor): ArchiveFile => {
    return { name: names.get(digest) ?? "", size, bytes: undefined, digest };
  };
  const blobFiles = (isWanted: (digest: Digest) => boolean): readonly ArchiveFile[] =>
    blobs.filter(({ digest }) => isWanted(digest)).map(fileOf);
  const entries: readonly ArchiveFile[] = [
    ...metadata.map(file => ({ ...file, size: file.bytes.length })),
    ...placeholders.map(digest => ({ name: nameOf(digest), size: 0, bytes: new Uint8Array(0) })),
    ...byName(
      manifests.map(({ descriptor, bytes }) => ({ name: blobName(descriptor.digest), size: bytes.length, bytes })),
    ),
    ...byName(blobFiles(digest => configs.has(digest))),
    ...byName(blobFiles(digest => !configs.has(digest) && !places.has(digest))),
    ...blobs
      .filter(({ digest }) => !configs.has(digest) && places.has(digest))
      .toSorted((left, right) => (places.get(left.digest) ?? 0) - (places.get(right.digest) ?? 0))
      .map(fileOf),
    ...partFiles(volume),
  ];
  const { sums: hasSums = format !== "docker", pieceBytes = PIECE_BYTES } = options;
  const isSorted = places.size === 0 && referrers.manifests.length === 0 && volume === undefined;
  const isLocked = (digest: Digest): boolean => plan.manifests.has(digest) || names.has(digest);
  const elsewhere = volume?.isAlone === false ? new Set([LOCK_FILE]) : new Set<string>();
  const sums = hasSums ? new PlannedSums(entries, { pieceBytes, isSorted, isLocked, elsewhere }) : undefined;
  const files = sums === undefined ? entries : [...entries, { ...LATE, name: SUMS_FILE, size: sums.size }];
  return { files, names, sums, totalBytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** Size of the `manifest.json` of the archive; 0 without one. */
export function dockerManifestBytes(
  plan: CopyPlan,
  { platform, format = "universal" }: ArchiveContentsOptions,
): number {
  if (format === "oci") return 0;
  const names = blobNames(plan, format);
  return dockerManifest(plan, { platform, nameOf: entryNameOf(assumedDigests(plan), names) })?.length ?? 0;
}

/**
 * Where `manifest.json` says that a config or layer is. Of an assumed layer, outside of `blobs`, where a file would be
 * taken for the blob; one name for each, because podman and skopeo refuse one file for two layers.
 */
function entryNameOf(absent: ReadonlySet<Digest>, names: ReadonlyMap<Digest, string>): (digest: Digest) => string {
  return digest => names.get(digest) ?? (absent.has(digest) ? absentName(digest) : blobName(digest));
}

function partFiles(volume: VolumeContents | undefined): readonly ArchiveFile[] {
  const parts = volume?.parts ?? [];
  return parts.map(({ digest, part, from, to }) => ({
    name: partName(digest, part),
    size: to - from,
    bytes: undefined,
    digest,
    part: { number: part, from },
  }));
}

/** Of its own blobs alone: those of all volumes are many. */
function namesInVolume({ blobs, parts }: VolumeContents): ReadonlyMap<Digest, string> {
  const names = new Map<Digest, string>();
  for (const { digest } of blobs) names.set(digest, blobName(digest));
  for (const { digest, part } of parts) names.set(digest, partName(digest, part));
  return names;
}

function blobNames(plan: CopyPlan, format: ArchiveFormat): ReadonlyMap<Digest, string> {
  if (format !== "docker") return new Map(plan.blobs.map(({ digest }) => [digest, blobName(digest)]));
  const configs = configDigests(plan);
  return new Map(plan.blobs.map(blob => [blob.digest, dockerName(blob, configs.has(blob.digest))]));
}

/** The tar of these files. @throws ArchiveError as `planTar` */
export function planArchiveTar({ files }: ArchiveContents): TarPlan {
  return planTar(files);
}

/** Named as by skopeo: the config by its digest, a raw layer by its diff_id, which is its digest too. */
function dockerName({ digest, mediaType }: Descriptor, isConfig: boolean): string {
  const extension = isConfig ? ".json" : EXTENSIONS[layerCompression(mediaType) ?? "none"];
  return `${digestHex(digest)}${extension}`;
}

function byName(files: readonly ArchiveFile[]): readonly ArchiveFile[] {
  return [...files].sort((left, right) => (left.name < right.name ? -1 : 1));
}

export function configDigests({ manifests }: CopyPlan): ReadonlySet<Digest> {
  return new Set([...manifests.values()].flatMap(({ view }) => (view.kind === "image" ? [view.config.digest] : [])));
}
