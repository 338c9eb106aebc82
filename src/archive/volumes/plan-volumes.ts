import { formatLock } from "../../bundle/lock/format-lock.ts";
import type { Lock, LockedSet } from "../../bundle/lock/lock.ts";
import { PIECE_BYTES } from "../../bundle/need/parse-need.ts";
import { packVolumes } from "../../bundle/volumes/pack-volumes.ts";
import { BLOCK_BYTES, type PackedVolume } from "../../bundle/volumes/volume-request.ts";
import type { CopyPlan, SettledRoot } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { appendTo, largest } from "../../util/append.ts";
import { exactBytes } from "../../util/format.ts";
import { closureOf, planLock } from "../lock/plan-lock.ts";
import {
  type ArchiveContentsOptions,
  archiveContents,
  planArchiveTar,
  type VolumeContents,
} from "../write/archive-contents.ts";
import { type PlannedArchive, plannedArchive } from "../write/planned-archive.ts";
import { volumeRequest } from "./volume-request.ts";

export interface VolumesOptions extends ArchiveContentsOptions {
  /** No file is larger. */
  readonly volumeBytes: number;
}

/** One volume before it is written. */
export interface PlannedVolume extends PackedVolume {
  /** From 1. */
  readonly number: number;
  /** Of the file. */
  readonly bytes: number;
  /** Images that can be loaded from it alone. */
  readonly roots: readonly SettledRoot[];
}

/** A bundle in volumes: what is where follows from the bundle and the size alone. */
export interface PlannedSet {
  readonly lock: Lock;
  /** `number` is that of the first volume. */
  readonly set: LockedSet;
  readonly volumes: readonly PlannedVolume[];
  /** Files of a volume, with their bytes. */
  plan(volume: PlannedVolume): PlannedArchive;
}

const MAX_TRIES = 16;
/** Upper bounds of what a row of the sums has. */
const NAME_BYTES = 96;
const ROW_BYTES = 128;
const HASH_BYTES = 67;

/** @throws UsageError if the volumes are too small, or would be too many. */
export function planVolumes(plan: CopyPlan, options: VolumesOptions): PlannedSet {
  const found = tryVolumes(plan, options, options.volumeBytes);
  if (found !== undefined) return found;
  throw new UsageError(
    `Cannot split into volumes of ${exactBytes(options.volumeBytes)}: they are too small, expected at least ${exactBytes(smallestSize(plan, options))}`,
    { hint: "Each volume contains the whole lock, and each manifest is in one piece; choose a larger --volume-size." },
  );
}

function tryVolumes(plan: CopyPlan, options: ArchiveContentsOptions, volumeBytes: number): PlannedSet | undefined {
  const roots = plan.roots.filter(root => root.kind === "settled");
  const lock = planLock(plan, options.lock ?? { platforms: "all", sparse: "keep" });
  const request = { ...volumeRequest(plan, roots, options), volumeBytes, hashBytes };
  let metadataBytes = BLOCK_BYTES * 8 + formatLock(lock).length + 2 * lock.blobs.length;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const packed = packVolumes({ ...request, metadataBytes });
    if (packed === undefined) return undefined;
    const set = new VolumeSet(plan, options, lock, roots, packed);
    const excess = largest(set.volumes.map(({ bytes }) => bytes)) - volumeBytes;
    if (excess <= 0) return set;
    metadataBytes += Math.ceil(excess / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}

/** Of a row in the sums, and of the name there. */
function hashBytes(bytes: number, isPart: boolean): number {
  if (!isPart && bytes <= PIECE_BYTES) return NAME_BYTES;
  return NAME_BYTES + ROW_BYTES + HASH_BYTES * (Math.ceil(bytes / PIECE_BYTES) + 1);
}

class VolumeSet implements PlannedSet {
  readonly lock: Lock;
  readonly set: LockedSet;
  readonly volumes: readonly PlannedVolume[];
  readonly #plan: CopyPlan;
  readonly #options: ArchiveContentsOptions;
  /** Of the volume with the longest number. */
  readonly #lockText: string;

  constructor(
    plan: CopyPlan,
    options: ArchiveContentsOptions,
    lock: Lock,
    roots: readonly SettledRoot[],
    packed: readonly PackedVolume[],
  ) {
    this.#plan = plan;
    this.#options = options;
    this.lock = lock;
    const where = placesOf(lock, packed);
    const of = packed.length;
    this.set = { id: digestOf(Buffer.from(JSON.stringify([lock.id, of, where]))), number: 1, of, where };
    this.#lockText = formatLock({ ...lock, set: { ...this.set, number: of } });
    this.volumes = packed.map((volume, index) => {
      const planned = {
        ...volume,
        number: index + 1,
        bytes: 0,
        roots: volume.images.flatMap(image => roots[image] ?? []),
      };
      const contents = archiveContents(plan, { ...options, volume: this.#contentsOf(planned, this.#lockText) });
      return { ...planned, bytes: planArchiveTar(contents).totalBytes };
    });
  }

  plan(volume: PlannedVolume): PlannedArchive {
    const { id, of } = this.set;
    // The set comes last, and no other text of a lock has this id: formatting the lock again takes long.
    const [before, after] = [of, volume.number].map(number => `"set":{"id":"${id}","number":${number},`);
    const lockText = this.#lockText.replace(before ?? "", after ?? "");
    return plannedArchive(this.#plan, { ...this.#options, volume: this.#contentsOf(volume, lockText) });
  }

  #contentsOf({ blobs, parts, roots }: PlannedVolume, lockText: string): VolumeContents {
    const held = new Set(blobs);
    const named = new Set<object>(roots);
    return {
      lockText,
      parts,
      isAlone: this.set.of === 1,
      isNamed: root => named.has(root),
      holds: digest => held.has(digest),
      isWhole: manifest => {
        const { manifests, configs, layers } = closureOf(this.#plan, [descriptorOf(this.#plan, manifest)]);
        return [...manifests, ...configs, ...layers].every(digest => held.has(digest));
      },
    };
  }
}

function descriptorOf({ manifests }: CopyPlan, digest: Digest) {
  return manifests.get(digest)?.descriptor ?? { mediaType: "", digest, size: 0 };
}

/** The volumes of each blob of the lock, in its order. */
function placesOf(lock: Lock, packed: readonly PackedVolume[]): LockedSet["where"] {
  const whole = new Map(packed.flatMap(({ blobs }, index) => blobs.map(digest => [digest, index + 1] as const)));
  const parts = new Map<Digest, { readonly part: number; readonly volume: number }[]>();
  for (const [index, volume] of packed.entries())
    for (const { digest, part } of volume.parts) appendTo(parts, digest, { part, volume: index + 1 });
  return lock.blobs.map(({ digest }) => {
    const split = parts.get(digest)?.sort((left, right) => left.part - right.part);
    return split?.map(({ volume }) => volume) ?? whole.get(digest) ?? 1;
  });
}

/** In steps of a block; found by trying, because the lock says more if there are more volumes. */
function smallestSize(plan: CopyPlan, options: ArchiveContentsOptions): number {
  let most = BLOCK_BYTES;
  while (tryVolumes(plan, options, most) === undefined) most *= 2;
  let least = most / 2;
  while (most - least > BLOCK_BYTES) {
    const middle = Math.ceil((least + most) / 2 / BLOCK_BYTES) * BLOCK_BYTES;
    if (middle >= most) break;
    if (tryVolumes(plan, options, middle) === undefined) least = middle;
    else most = middle;
  }
  return most;
}
