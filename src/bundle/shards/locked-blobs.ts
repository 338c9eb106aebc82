import { repositoryOf } from "../../oci/names/repository-of.ts";
import { appendTo, groupedBy } from "../../util/append.ts";
import { MAX_REPOSITORIES } from "../lock/format-lock.ts";
import type { Lock, LockedBlob, LockedImage } from "../lock/lock.ts";
import type { ShardBlob } from "./plan-shards.ts";

/**
 * The configs and layers that each image of a lock needs with what refers to it, by its `registry/repository@digest`, without a
 * look at its manifests. A lock says which repositories have a blob, and of a blob that many have, only the first ones: an image
 * that shares its repository with another one, or comes after the repositories that are named, is left out.
 */
export function lockedBlobs({ images, blobs, layers, assumes }: Lock): ReadonlyMap<string, readonly ShardBlob[]> {
  const found = new Map<string, readonly ShardBlob[]>();
  if (layers !== undefined || assumes !== undefined) return found;
  const owned = new Map<string, LockedBlob[]>();
  const carried = blobs.filter(({ kind }) => kind !== "manifest");
  for (const blob of carried) for (const repository of blob.repositories) appendTo(owned, repository, blob);
  const lastNamed = carried.flatMap(({ repositories }) =>
    repositories.length < MAX_REPOSITORIES ? [] : repositories.slice(-1),
  );
  const [horizon] = lastNamed.sort();
  for (const [repository, own] of groupedBy(images, homeOf)) {
    const [image] = own;
    const isOne = new Set(own.map(({ digest }) => digest)).size === 1;
    if (image === undefined || !isOne || repository === "" || (horizon !== undefined && repository > horizon)) continue;
    const isWhole = own.every(({ absent, written }) => absent.length === 0 && written === undefined);
    if (isWhole) found.set(`${repository}@${image.digest}`, owned.get(repository) ?? []);
  }
  return found;
}

function homeOf({ name, from }: LockedImage): string {
  return from ?? (name === "" ? "" : repositoryOf(name));
}
