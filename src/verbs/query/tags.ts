import { hasGlob, matchesTag, parseGlob } from "../../bundle/list/reference-glob.ts";
import { countTo } from "../../content/progress.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { formatReference } from "../../oci/reference.ts";
import { compareText, sortByVersion } from "../../oci/semver.ts";
import { namedTags } from "../../registry/api/tag-lists.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { counted, quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { choice, whole } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, repositoryReference, withRegistries } from "../shared/remote-image.ts";
import { type DatedTag, type DatedTagsOptions, datedTags } from "./tags-created.ts";

/** Order of tags. "semver" and "time" put the newest first; "name" goes by code units. "time" reads each tag's config. */
export type SortOrder = "semver" | "time" | "name";

/** Options of `tags`. */
export interface TagsOptions extends RemoteOptions {
  /** Default: the order of the registry. */
  readonly sort?: SortOrder | undefined;
  /** Maximum number of tags, counted after sorting. Default: all. */
  readonly limit?: number | undefined;
}

const TAGS_OPTIONS: OptionsShape<TagsOptions> = {
  ...COMMON,
  sort: choice<SortOrder>(["semver", "time", "name"]),
  limit: whole(1),
};

/** The tags of a repository. */
export interface TagsResult {
  /** `registry/repository` */
  readonly repository: string;
  readonly tags: readonly DatedTag[];
}

/**
 * Lists the tags of a repository.
 *
 * @param repository `[registry/]repository`, or `[registry/]repository:TAG` with wildcards in TAG: `*` and `?`
 * @throws UsageError for a reference with a tag or digest; NotFoundError if there is no such repository, or no tag matches.
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { tags } from "imgpack";
 *
 * const newest = await tags("registry.lan:5000/team/app", { sort: "semver", limit: 5 });
 * console.log(newest.tags.map(({ tag }) => tag));
 * ```
 */
export async function tags(repository: string, options: TagsOptions = {}): Promise<TagsResult> {
  checkText("read tags", "the name of a repository", repository);
  options = checkedOptions(options, TAGS_OPTIONS);
  const { signal } = options;
  const sort = options.sort;
  const limit = options.limit;
  if (isV1Reference(repository)) {
    if (sort === "time") {
      throw new UsageError(
        `Cannot sort tags of ${quote(repository)} by time: found a v1 registry, expected --sort name or semver`,
      );
    }
    const { tagsOfV1 } = await import("../v1/query/v1-queries.ts");
    const { repository: full, tags: all } = await tagsOfV1(repository, options);
    return { repository: full, tags: inOrder(all, sort).slice(0, limit) };
  }
  const { name, glob } = splitGlob(repository);
  const reference = repositoryReference(name, options.registry);
  return await withRegistries(options, reference.registry, async registries => {
    const remote = await registries.repositoryFor(reference, signal);
    const most = sort === undefined && glob === undefined ? limit : undefined;
    const all = await namedTags(remote, most, signal, countTo(options.onProgress, "names"));
    const found = glob === undefined ? all : all.filter(tag => matchesTag(glob, tag));
    if (glob !== undefined && found.length === 0) {
      throw new NotFoundError(
        `Cannot find ${quote(repository)}: none of ${counted(all.length, "tag")} matches, expected one`,
      );
    }
    const sorted = await sortedTags(remote, found, sort, options);
    return { repository: `${remote}`, tags: sorted.slice(0, limit) };
  });
}

/** @throws UsageError for wildcards in the repository: they name several. */
function splitGlob(text: string): { readonly name: string; readonly glob?: string } {
  if (!hasGlob(text)) return { name: text };
  const { tag, ...name } = parseGlob(text);
  if (!hasGlob(name.repository)) return { name: formatReference(name), ...(tag === undefined ? {} : { glob: tag }) };
  throw new UsageError(
    `Cannot read tags of ${quote(text)}: found wildcards in the repository, expected one repository`,
    {
      hint: "matchImages lists what matches in several repositories.",
    },
  );
}

async function sortedTags(
  repository: Repository,
  found: readonly string[],
  sort: SortOrder | undefined,
  options: DatedTagsOptions,
): Promise<readonly DatedTag[]> {
  if (sort === "time") return await datedTags(repository, found, options);
  return inOrder(found, sort);
}

function inOrder(found: readonly string[], sort: Exclude<SortOrder, "time"> | undefined): readonly DatedTag[] {
  const sorted = sort === "semver" ? sortByVersion(found) : sort === "name" ? found.toSorted(compareText) : found;
  return sorted.map(tag => ({ tag }));
}
