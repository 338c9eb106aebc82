import { basename, dirname, join } from "node:path";
import { VolumeNames } from "../../archive/volumes/volume-names.ts";
import { chosenVolumes, type VolumesTargetOptions } from "../../archive/volumes/volumes-target.ts";
import type { ArchiveFormat } from "../../archive/write/archive-contents.ts";
import { MAX_VOLUMES } from "../../bundle/lock/lock-schema.ts";
import { formatShard, parseShard, type Shard } from "../../bundle/shards/shard.ts";
import { parseVolumeSize } from "../../bundle/volumes/volume-size.ts";
import type { CopyPlan } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { counted, formatBytes, quote } from "../../util/format.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { kindOf, whole } from "../../util/options/option-kinds.ts";
import { checkApart, locationOf } from "../../util/output-checks.ts";
import { readdir } from "../../util/read-disk.ts";
import type { ShardOptions } from "../options/shard-option.ts";

/** How an output is split. */
export interface VolumeOptions {
  /**
   * Splits the output into files that are not larger, each an archive of its own: "fat32", "dvd", "bd25", "bd50", a number of
   * bytes, or one with a unit such as "700M" (1000²) or "4GiB" (1024³). Default: one file.
   */
  readonly volumeSize?: string | number | undefined;
  /** Writes this volume alone, from 1: it has the same bytes as if all are written. Default: all volumes. */
  readonly volume?: number | undefined;
}

/** Which of the volumes are written. */
export interface ChosenVolumesOptions extends VolumeOptions, ShardOptions {}

export const VOLUME_OPTIONS: OptionsShape<VolumeOptions> = {
  volumeSize: kindOf("a size in bytes, or a string", value =>
    typeof value === "string" || typeof value === "number" ? value : undefined,
  ),
  volume: whole(1, MAX_VOLUMES),
};

/** A volume that was written, or would be. */
export interface WrittenVolume {
  /** From 1. */
  readonly number: number;
  /** How many volumes there are. */
  readonly of: number;
  readonly path: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Names of the images that can be loaded from it alone; digests of those without a name. */
  readonly images: readonly string[];
}

/** The part of a call with `shard`. */
export interface PulledShard {
  /** From 0. */
  readonly index: number;
  /** How many shards there are. */
  readonly of: number;
  /** Number of volumes in this shard. */
  readonly volumes: number;
  /** Number of volumes in all shards. */
  readonly ofVolumes: number;
  /** Number of configs and layers that are in its volumes, whole or in part. */
  readonly blobs: number;
  /** Sum of the sizes of its volumes, as files. */
  readonly bytes: number;
}

/** As it is written. */
export interface ChosenVolumes {
  readonly volumeBytes: number;
  readonly number: number | undefined;
  readonly shard: Shard | undefined;
}

/**
 * @param kind of the output.
 * @returns undefined for an output that is not split.
 * @throws UsageError for an output that cannot be.
 */
export function chosenSize(
  name: string,
  kind: "file" | "folder" | "stream",
  format: ArchiveFormat,
  { volumeSize, volume, shard }: ChosenVolumesOptions,
): ChosenVolumes | undefined {
  if (volume !== undefined && shard !== undefined) {
    throw new UsageError("Cannot use --shard with --volume: found both, expected only one of them", {
      hint: "A shard writes several volumes. Leave out --volume for all volumes of the shard, or --shard for one volume.",
    });
  }
  if (volumeSize === undefined) {
    if (shard !== undefined) {
      throw new UsageError(`Cannot pull shard ${shard}: found no --volume-size, expected the size of the volumes`, {
        hint: "A shard of a pull is a part of its volumes. Give all shards the same size, such as --volume-size 4GiB.",
      });
    }
    if (volume === undefined) return undefined;
    throw new UsageError(`Cannot write volume ${volume}: found no --volume-size, expected the size of the volumes`, {
      hint: "The size decides what each volume contains. Give the size of the other volumes, such as --volume-size 4GiB.",
    });
  }
  const volumeBytes = parseVolumeSize(volumeSize);
  if (kind !== "file") {
    const what = kind === "folder" ? `folder ${quote(name)}` : "stdout";
    throw new UsageError(`Cannot split the output into volumes: found ${what}, expected the name of a file`, {
      hint: "Name a file such as site.tar: the volumes become site.v01.tar, site.v02.tar and so on.",
    });
  }
  if (format === "docker") {
    throw new UsageError("Cannot split the output into volumes: found format docker, expected universal or oci", {
      hint: "Volumes need a lock, which a docker archive does not have. Leave out --format docker: every version of docker also loads a universal archive.",
    });
  }
  return { volumeBytes, number: volume, shard: shard === undefined ? undefined : parseShard(shard) };
}

/**
 * Checks that no volume replaces what is read, as `checkApart` does; the name that volumes are made from may be an input.
 *
 * @throws UsageError if one does.
 */
export async function checkVolumesApart(output: string, inputs: readonly string[]): Promise<void> {
  const names = new VolumeNames(output);
  const found = (await readdir(dirname(output)).catch(() => [])).filter(name => names.numberIn(name) !== undefined);
  for (const path of [names.volume(1, 1), names.sums(), ...found.map(name => join(dirname(output), name))])
    await checkApart(path, inputs);
}

/** As `checkListApart`, for an output that is split. @throws UsageError if the list is a file of a set of volumes. */
export async function checkListApartFromVolumes(list: string, output: string, hint: string): Promise<void> {
  const [place, folder] = [await locationOf(list), await locationOf(dirname(output))];
  if (dirname(place) === folder && new VolumeNames(output).has(basename(place))) {
    const state = `the run writes its output ${quote(output)} there, expected another file`;
    throw new UsageError(`Cannot write ${quote(list)}: ${state}`, { hint });
  }
}

/** What a run writes of a set of volumes. */
export interface SplitOutput {
  readonly volumes: readonly WrittenVolume[];
  /** Configs and layers of volumes that it does not write. */
  readonly elsewhere: ReadonlySet<Digest>;
  /** Only with `shard`. */
  readonly shard: PulledShard | undefined;
}

export interface SplitContext {
  readonly onNote: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What a run writes, with a note about its shard. @throws UsageError as `chosenVolumes`. */
export async function splitOutput(
  output: string,
  plan: CopyPlan,
  options: VolumesTargetOptions,
  { onNote, signal }: SplitContext,
): Promise<SplitOutput> {
  const names = new VolumeNames(output);
  const { set, volumes } = await chosenVolumes(plan, options, signal);
  const { of } = set.set;
  const own = new Set(volumes.flatMap(({ blobs, parts }) => [...blobs, ...parts.map(({ digest }) => digest)]));
  const elsewhere = plan.blobs.map(({ digest }) => digest).filter(digest => !own.has(digest));
  const written = volumes.map(({ number, bytes, roots }) => ({
    number,
    of,
    path: names.volume(number, of),
    bytes,
    images: roots.flatMap(({ names: all, descriptor }) => (all.length === 0 ? [descriptor.digest] : all)).sort(),
  }));
  const shard = options.shard && {
    ...options.shard,
    volumes: written.length,
    ofVolumes: of,
    blobs: plan.blobs.length - elsewhere.length,
    bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  if (shard !== undefined) onNote(shardNote(shard));
  return { volumes: written, elsewhere: new Set(elsewhere), shard };
}

function shardNote(shard: PulledShard): string {
  const { volumes, ofVolumes, blobs, bytes } = shard;
  const name = `Shard ${formatShard(shard)}`;
  return volumes === 0
    ? `${name} has none of ${counted(ofVolumes, "volume")}: nothing to do`
    : `${name}: ${volumes} of ${counted(ofVolumes, "volume")}, ${counted(blobs, "blob")}, ${formatBytes(bytes)}`;
}

/** The images that a run names: with a shard, those that one of its volumes has whole. */
export function imagesOfSplit<Image extends { readonly names: readonly string[]; readonly digest: Digest }>(
  images: readonly Image[],
  split: SplitOutput | undefined,
): readonly Image[] {
  if (split?.shard === undefined) return images;
  const own = new Set(split.volumes.flatMap(volume => volume.images));
  return images.filter(({ names, digest }) => (names.length === 0 ? [digest] : names).some(name => own.has(name)));
}

/** How many configs and layers a run writes, and their bytes. */
export function blobCounts(
  plan: CopyPlan,
  split: SplitOutput | undefined,
): { readonly blobs: number; readonly blobBytes: number } {
  const elsewhere = plan.blobs.filter(({ digest }) => split?.elsewhere.has(digest) === true);
  return {
    blobs: plan.blobs.length - elsewhere.length,
    blobBytes: elsewhere.reduce((left, { size }) => left - size, plan.totalBytes),
  };
}
