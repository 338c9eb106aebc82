import type { Digest } from "../../oci/digest.ts";
import { appendTo } from "../../util/append.ts";
import { capital, shortId } from "../../util/format.ts";
import type { LockedSet } from "../lock/lock.ts";

/** A file that is a volume. */
export interface Volume {
  /** As messages name it. */
  readonly what: string;
  /** Id of its lock. */
  readonly bundle: Digest;
  readonly set: LockedSet;
}

/** The volumes of one bundle that are there. */
export interface VolumeSet<V extends Volume = Volume> {
  readonly bundle: Digest;
  /** Number of volumes that the set has. */
  readonly of: number;
  /** By number, the first file that has it. */
  readonly present: ReadonlyMap<number, V>;
  /** Numbers of those that are not there, sorted. */
  readonly missing: readonly number[];
  /** Further files of numbers that are there. */
  readonly doubled: readonly V[];
  /** Volumes of the same bundle that was split in another way: their numbers and parts mean something else. */
  readonly stale: readonly V[];
  /** Volumes of other bundles. */
  readonly foreign: readonly V[];
}

/**
 * Sorts volumes, in any order, into the sets that they belong to. Of a bundle that was split in two ways, the set with the
 * most volumes counts.
 *
 * @returns one set for each bundle, in the order of their first volumes.
 */
export function checkVolumes<V extends Volume>(volumes: readonly V[]): readonly VolumeSet<V>[] {
  const bundles = new Map<Digest, V[]>();
  for (const volume of volumes) appendTo(bundles, volume.bundle, volume);
  return [...bundles].map(([bundle, own]) => setOf(bundle, own, volumes));
}

function setOf<V extends Volume>(bundle: Digest, own: readonly V[], all: readonly V[]): VolumeSet<V> {
  const splits = new Map<string, Map<number, V>>();
  for (const volume of own) {
    const { id, of, number } = volume.set;
    const split = splits.get(`${id} ${of}`) ?? new Map<number, V>();
    if (!split.has(number)) split.set(number, volume);
    splits.set(`${id} ${of}`, split);
  }
  const [present = new Map<number, V>()] = [...splits.values()].toSorted((left, right) => right.size - left.size);
  const [first] = present.values();
  const { id, of } = first?.set ?? { id: bundle, of: 0 };
  const isOfSet = ({ set }: V): boolean => set.id === id && set.of === of;
  return {
    bundle,
    of,
    present,
    missing: Array.from({ length: of }, (_, index) => index + 1).filter(number => !present.has(number)),
    doubled: own.filter(volume => isOfSet(volume) && present.get(volume.set.number) !== volume),
    stale: own.filter(volume => !isOfSet(volume)),
    foreign: all.filter(volume => volume.bundle !== bundle),
  };
}

/** `volumes 2 and 5 of 12` */
export function volumesText(numbers: readonly number[], { of }: Pick<VolumeSet, "of">): string {
  const last = numbers.at(-1) ?? 0;
  const list = numbers.length < 2 ? `volume ${last}` : `volumes ${numbers.slice(0, -1).join(", ")} and ${last}`;
  return `${list} of ${of}`;
}

/** What is odd about the files of a set, for people: one sentence for each. */
export function volumeNotes({ bundle, doubled, stale, foreign, missing }: VolumeSet): readonly string[] {
  return [
    ...doubled.map(({ what, set }) => `Volume ${set.number} of bundle ${shortId(bundle)} is there again as ${what}`),
    ...stale.map(
      ({ what, set }) =>
        `${capital(what)} is volume ${set.number} of ${set.of} of bundle ${shortId(bundle)} as it was split in another way`,
    ),
    // Two whole sets are simply two sources.
    ...(missing.length === 0 ? [] : foreign).map(
      ({ what, set, bundle: other }) =>
        `${capital(what)} is volume ${set.number} of ${set.of} of another bundle, ${shortId(other)}`,
    ),
  ];
}
