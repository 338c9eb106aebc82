import { formatLock } from "../../bundle/lock/format-lock.ts";
import type { Lock, LockedSet } from "../../bundle/lock/lock.ts";
import { MAX_VOLUMES } from "../../bundle/lock/lock-schema.ts";
import { PIECE_BYTES } from "../../bundle/need/parse-need.ts";
import { leastVolumes, type Packing, packingOf, packVolumes } from "../../bundle/volumes/pack-volumes.ts";
import { BLOCK_BYTES, type PackedVolume, type VolumeBytes } from "../../bundle/volumes/volume-request.ts";
import type { CopyPlan, SettledRoot } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { appendTo, largest } from "../../util/append.ts";
import { exactBytes } from "../../util/format.ts";
import { nextTurn } from "../../util/time/next-turn.ts";
import { planLock } from "../lock/plan-lock.ts";
import { type ArchiveContentsOptions, archiveContents, planArchiveTar } from "../write/archive-contents.ts";
import { type PlannedArchive, plannedArchive } from "../write/planned-archive.ts";
import { smallestFrom } from "./smallest-from.ts";
import { VolumeParts } from "./volume-parts.ts";
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
const VOLUMES_A_TURN = 64;
/** Upper bounds of what a row of the sums has. */
const NAME_BYTES = 96;
const ROW_BYTES = 128;
const HASH_BYTES = 67;

/** Other work can run in between. @throws UsageError if the volumes are too small, or would be too many. */
export async function planVolumes(
  plan: CopyPlan,
  options: VolumesOptions,
  signal: AbortSignal | undefined,
): Promise<PlannedSet> {
  const planner = new Planner(plan, options, signal);
  const found = await planner.try(options.volumeBytes);
  if (found !== undefined) return found;
  throw new UsageError(
    `Cannot split the output into volumes of ${exactBytes(options.volumeBytes)}: found a size that is too small, expected at least ${exactBytes(await planner.smallestSize())}`,
    { hint: "Each volume contains the whole lock, and no manifest is split. Choose a larger --volume-size." },
  );
}

/** Tries sizes of volumes for one bundle. */
class Planner {
  readonly #bundle: BundleParts;
  readonly #packing: Packing;
  readonly #metadataBytes: number;
  readonly #signal: AbortSignal | undefined;
  /** Of the volumes that were tried last: how many more there were than the least, and what each needed beyond the numbers. */
  #found = { ratio: 1, moreBytes: 0 };

  constructor(plan: CopyPlan, options: ArchiveContentsOptions, signal: AbortSignal | undefined) {
    const roots = plan.roots.filter(root => root.kind === "settled");
    const lock = planLock(plan, options.lock ?? { platforms: "all", sparse: "keep" });
    this.#bundle = { plan, options, lock, parts: new VolumeParts(plan, roots) };
    this.#packing = packingOf({ ...volumeRequest(plan, roots, options), hashBytes });
    this.#metadataBytes = BLOCK_BYTES * 8 + formatLock(lock).length + 2 * lock.blobs.length;
    this.#signal = signal;
  }

  /** @param from what each volume needs at least, in addition to its blobs. */
  async try(volumeBytes: number, from: number = this.#metadataBytes): Promise<PlannedSet | undefined> {
    let metadataBytes = from;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const packed = await packVolumes(this.#packing, { volumeBytes, metadataBytes }, this.#signal);
      if (packed === undefined) return undefined;
      const set = await VolumeSet.of(this.#bundle, packed, this.#signal);
      const excess = largest(set.volumes.map(({ bytes }) => bytes)) - volumeBytes;
      this.#learn({ volumeBytes, metadataBytes }, packed.length, excess);
      if (excess <= 0) return set;
      metadataBytes += Math.ceil(excess / BLOCK_BYTES) * BLOCK_BYTES;
    }
    return undefined;
  }

  /** In steps of a block. What a size needs is guessed from the volumes of the last one that was tried, so that few are tried. */
  async smallestSize(): Promise<number> {
    const likely = async (): Promise<number> =>
      await smallestFrom(BLOCK_BYTES, async size => this.#likelyMetadata(size) !== undefined);
    await this.try(await likely());
    const isEnough = async (size: number): Promise<boolean> => {
      const metadataBytes = this.#likelyMetadata(size);
      return metadataBytes !== undefined && (await this.try(size, metadataBytes)) !== undefined;
    };
    const found = await smallestFrom(await likely(), isEnough);
    // A run does not begin with a guess.
    return await smallestFrom(found, async size => (await this.try(size)) !== undefined);
  }

  /**
   * What each volume needs in addition to its blobs: the lock has the numbers of all volumes of each blob. Undefined if there were
   * too many volumes.
   */
  #likelyMetadata(volumeBytes: number): number | undefined {
    let metadataBytes = this.#metadataBytes;
    for (;;) {
      const least = leastVolumes({ ...this.#packing, volumeBytes, metadataBytes });
      const count = Math.ceil(least * this.#found.ratio);
      if (count > MAX_VOLUMES) return undefined;
      const needed = this.#bytesWith(count) + this.#found.moreBytes;
      if (needed <= metadataBytes) return metadataBytes;
      metadataBytes = needed;
    }
  }

  #learn(size: VolumeBytes, count: number, excess: number): void {
    const ratio = count / leastVolumes({ ...this.#packing, ...size });
    this.#found = { ratio, moreBytes: Math.max(0, size.metadataBytes + excess - this.#bytesWith(count)) };
  }

  /** Of metadata with the numbers of so many volumes. */
  #bytesWith(count: number): number {
    const { length } = this.#packing.blobs;
    return this.#metadataBytes - 2 * length + Math.ceil((bytesOfNumbers(count) / count) * Math.max(count, length));
  }
}

/** Of the numbers 1 to `count`, each with a comma. */
function bytesOfNumbers(count: number): number {
  let bytes = 0;
  for (let first = 1; first <= count; first *= 10) bytes += count - first + 1;
  return bytes + count;
}

/** Of a row in the sums, and of the name there. */
function hashBytes(bytes: number, isPart: boolean): number {
  if (!isPart && bytes <= PIECE_BYTES) return NAME_BYTES;
  return NAME_BYTES + ROW_BYTES + HASH_BYTES * (Math.ceil(bytes / PIECE_BYTES) + 1);
}

/** What all sizes of volumes have in common. */
interface BundleParts {
  readonly plan: CopyPlan;
  readonly options: ArchiveContentsOptions;
  readonly lock: Lock;
  readonly parts: VolumeParts;
}

class VolumeSet implements PlannedSet {
  readonly lock: Lock;
  readonly set: LockedSet;
  readonly volumes: PlannedVolume[] = [];
  readonly #bundle: BundleParts;
  /** Of the volume with the longest number. */
  readonly #lockText: string;

  private constructor(bundle: BundleParts, packed: readonly PackedVolume[]) {
    const { lock } = bundle;
    this.#bundle = bundle;
    this.lock = lock;
    const where = placesOf(lock, packed);
    const of = packed.length;
    this.set = { id: digestOf(Buffer.from(JSON.stringify([lock.id, of, where]))), number: 1, of, where };
    this.#lockText = formatLock({ ...lock, set: { ...this.set, number: of } });
  }

  static async of(
    bundle: BundleParts,
    packed: readonly PackedVolume[],
    signal: AbortSignal | undefined,
  ): Promise<VolumeSet> {
    const set = new VolumeSet(bundle, packed);
    const { plan, options, parts } = bundle;
    const lock = Buffer.from(set.#lockText);
    // All signatures of a key have one size.
    const signature = options.signLock?.(lock);
    const sized = { ...options, signLock: signature && (() => signature) };
    const referrers = parts.referrersIn(packed);
    for (const [index, volume] of packed.entries()) {
      if (index % VOLUMES_A_TURN === 0) await nextTurn(signal);
      const contents = parts.contentsOf(volume, { lock, isAlone: packed.length === 1, referrers: referrers[index] });
      const { totalBytes } = planArchiveTar(archiveContents(plan, { ...sized, volume: contents }));
      set.volumes.push({ ...volume, number: index + 1, bytes: totalBytes, roots: contents.roots });
    }
    return set;
  }

  plan(volume: PlannedVolume): PlannedArchive {
    const { id, of } = this.set;
    const { plan, options, parts } = this.#bundle;
    // The set comes last, and no other text of a lock has this id: formatting the lock again takes long.
    const [before, after] = [of, volume.number].map(number => `"set":{"id":"${id}","number":${number},`);
    const lock = Buffer.from(this.#lockText.replace(before ?? "", after ?? ""));
    const [referrers] = parts.referrersIn([volume]);
    return plannedArchive(plan, {
      ...options,
      volume: parts.contentsOf(volume, { lock, isAlone: of === 1, referrers }),
    });
  }
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
