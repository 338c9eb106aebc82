import { UsageError } from "../../errors.ts";
import { compareText, sortByVersion } from "../../oci/semver.ts";
import { listTags } from "../../registry/api/list-tags.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { quote } from "../../util/format.ts";
import { type RemoteOptions, repositoryReference, withRegistries } from "../shared/remote-image.ts";
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
    const remote = await registries.repositoryFor(reference, signal);
    const found = await allTags(remote, sort === undefined ? limit : undefined, signal);
    const onNote = (message: string): void => options.onProgress?.({ kind: "note", message });
    const sorted = await sortedTags(remote, found, sort, onNote, signal);
    return { repository: `${remote}`, tags: sorted.slice(0, limit) };
  });
}

/** @param limit where the listing stops. */
export async function allTags(
  repository: Repository,
  limit: number = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of listTags(repository, limit, signal)) {
    found.push(...page);
    if (found.length >= limit) break;
  }
  return found;
}

/** @throws UsageError for anything but a whole number above 0. */
export function readLimit(limit: number | undefined): number | undefined {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit > 0)) return limit;
  throw new UsageError(`Cannot use limit ${String(limit)}: found another number, expected a whole one above 0`);
}

async function sortedTags(
  repository: Repository,
  found: readonly string[],
  sort: string | undefined,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly DatedTag[]> {
  if (sort === "time") return await datedTags(repository, found, onNote, signal);
  const sorted = sort === "semver" ? sortByVersion(found) : sort === "name" ? found.toSorted(compareText) : found;
  return sorted.map(tag => ({ tag }));
}
