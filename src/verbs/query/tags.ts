import { UsageError } from "../../errors.ts";
import { compareText, sortByVersion } from "../../oci/semver.ts";
import { listTags } from "../../registry/api/list-tags.ts";
import type { ManifestPlace } from "../../registry/api/manifests.ts";
import { quote } from "../../util/format.ts";
import {
  placeOf,
  type RemoteOptions,
  repositoryName,
  repositoryReference,
  withRegistries,
} from "../shared/remote-image.ts";
import { type DatedTag, datedTags } from "./tags-created.ts";

export interface TagsOptions extends RemoteOptions {
  /**
   * "semver" and "time": newest first; "name": by code units. The registry's order without it. "time" reads the config of
   * every tag.
   */
  readonly sort?: string | undefined;
  /** At most so many, counted after sorting. */
  readonly limit?: number | undefined;
}

export interface TagsResult {
  /** `registry/repository` */
  readonly repository: string;
  /** `created` and `digest` where sorting by time read them. */
  readonly tags: readonly DatedTag[];
}

const SORTS = ["semver", "time", "name"] as const;

/**
 * The tags of a repository.
 *
 * @throws NotFoundError when there is no such repository.
 */
export async function tags(repository: string, options: TagsOptions = {}): Promise<TagsResult> {
  const { sort, signal } = options;
  const limit = readLimit(options.limit);
  if (sort !== undefined && !SORTS.some(known => known === sort)) {
    throw new UsageError(`Cannot sort tags by ${quote(sort)}: unknown order, expected semver, time or name`);
  }
  const reference = repositoryReference(repository, options.registry);
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, reference, signal);
    const found = await allTags(place, sort === undefined ? limit : undefined);
    const onNote = (message: string): void => options.onProgress?.({ kind: "note", message });
    const sorted = await sortedTags(place, found, sort, onNote);
    return { repository: repositoryName(reference), tags: sorted.slice(0, limit) };
  });
}

/** @param most stops the listing there. */
export async function allTags(
  place: ManifestPlace,
  most: number = Number.POSITIVE_INFINITY,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of listTags(place, most)) {
    found.push(...page);
    if (found.length >= most) break;
  }
  return found;
}

/** @throws UsageError for anything but a whole number above 0. */
export function readLimit(limit: number | undefined): number | undefined {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit > 0)) return limit;
  throw new UsageError(`Cannot use limit ${String(limit)}: found another number, expected a whole one above 0`);
}

async function sortedTags(
  place: ManifestPlace,
  found: readonly string[],
  sort: string | undefined,
  onNote: (message: string) => void,
): Promise<readonly DatedTag[]> {
  if (sort === "time") return await datedTags(place, found, onNote);
  const sorted = sort === "semver" ? sortByVersion(found) : sort === "name" ? found.toSorted(compareText) : found;
  return sorted.map(tag => ({ tag }));
}
