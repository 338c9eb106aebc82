import { repositoryOf } from "../../oci/names/repository-of.ts";
import { appendTo, groupedBy } from "../../util/append.ts";
import { MAX_REPOSITORIES } from "../lock/format-lock.ts";
import type { Lock, LockedBlob, LockedImage } from "../lock/lock.ts";
import type { ShardBlob } from "./plan-shards.ts";

/** What an image of a lock needs with what refers to it. */
export interface LockedNeed {
  /** Its configs and layers. */
  readonly blobs: readonly ShardBlob[];
  /** What was chosen of it: `os/architecture[/variant]`, sorted, or "all" alone. */
  readonly platforms: readonly string[];
  /** Whether that is all that it has. */
  readonly isWhole: boolean;
}

/** More of them would be most of a lock. */
const MAX_NEEDS = 1_000_000;

/**
 * What each image of a lock needs, by its `registry/repository@digest`, without a look at its manifests. If the lock has no
 * `needs`, it follows from the repositories that have a blob, but only the first of many are named: an image that shares its
 * repository with another one, or comes after the repositories that are named, is left out.
 */
export function lockedBlobs(lock: Lock): ReadonlyMap<string, LockedNeed> {
  const { images, blobs, needs } = lock;
  if (isChanged(lock)) return new Map();
  if (needs === undefined) return derivedNeeds(lock);
  return new Map(
    images.flatMap((image, index) => {
      const own = (needs[index] ?? []).flatMap(blob => blobs[blob] ?? []);
      return homeOf(image) === "" ? [] : [[keyOf(image), needOf(lock, [image], own)] as const];
    }),
  );
}

/**
 * The `needs` of a lock, if the rest of it does not say them.
 *
 * @param below digests of all that each image needs, in the order of the lock.
 */
export function unsaidNeeds(lock: Lock, below: readonly ReadonlySet<string>[]): Lock["needs"] {
  if (isChanged(lock)) return undefined;
  const known = derivedNeeds(lock);
  if (lock.images.every(image => homeOf(image) === "" || known.has(keyOf(image)))) return undefined;
  if (below.reduce((sum, { size }) => sum + size, 0) > MAX_NEEDS) return undefined;
  const indexes = new Map(
    lock.blobs.flatMap(({ digest, kind }, index) => (kind === "manifest" ? [] : [[digest as string, index]])),
  );
  return below.map(digests =>
    [...digests].flatMap(digest => indexes.get(digest) ?? []).sort((left, right) => left - right),
  );
}

/** Whether its layers are others than those of the registry, or not all of them are in it. */
function isChanged({ layers, assumes }: Lock): boolean {
  return layers !== undefined || assumes !== undefined;
}

function derivedNeeds(lock: Lock): ReadonlyMap<string, LockedNeed> {
  const found = new Map<string, LockedNeed>();
  const owned = new Map<string, LockedBlob[]>();
  const carried = lock.blobs.filter(({ kind }) => kind !== "manifest");
  for (const blob of carried) for (const repository of blob.repositories) appendTo(owned, repository, blob);
  const lastNamed = carried.flatMap(({ repositories }) =>
    repositories.length < MAX_REPOSITORIES ? [] : repositories.slice(-1),
  );
  const [horizon] = lastNamed.sort();
  for (const [repository, own] of groupedBy(lock.images, homeOf)) {
    const [image] = own;
    const isOne = new Set(own.map(({ digest }) => digest)).size === 1;
    if (image === undefined || !isOne || repository === "" || (horizon !== undefined && repository > horizon)) continue;
    found.set(keyOf(image), needOf(lock, own, owned.get(repository) ?? []));
  }
  return found;
}

/** @param names rows of the image: one for each of its names. */
function needOf(lock: Lock, names: readonly LockedImage[], blobs: readonly ShardBlob[]): LockedNeed {
  return {
    blobs,
    platforms: names[0]?.platforms ?? lock.platforms,
    isWhole: names.every(({ absent, written }) => absent.length === 0 && written === undefined),
  };
}

function keyOf(image: LockedImage): string {
  return `${homeOf(image)}@${image.digest}`;
}

function homeOf({ name, from }: LockedImage): string {
  return from ?? (name === "" ? "" : repositoryOf(name));
}
