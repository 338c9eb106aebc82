import { countTo, noteTo } from "../../content/progress.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { compareVersions, newestVersion, parseVersion } from "../../oci/semver.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import { namedTags } from "../../registry/api/tag-lists.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { choice, FLAG } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, repositoryReference, withRegistries } from "../shared/remote-image.ts";
import { datedTags, timeOf } from "./tags-created.ts";

/** What makes an image the latest. "semver": the highest version among the tags; "created": the last build of all tags. */
export type LatestBy = "semver" | "created";

/** Options of `latest`. */
export interface LatestOptions extends RemoteOptions {
  /** Default "semver". */
  readonly by?: LatestBy | undefined;
  /** Also considers versions with a suffix, such as `1.5.0-rc.1` and `1.5.0-alpine`. Default false. */
  readonly prerelease?: boolean | undefined;
}

const LATEST_OPTIONS: OptionsShape<LatestOptions> = {
  ...COMMON,
  by: choice<LatestBy>(["semver", "created"]),
  prerelease: FLAG,
};

/** The newest image of a repository. */
export interface LatestResult {
  /** `registry/repository:tag@digest` */
  readonly reference: string;
  /** `registry/repository` */
  readonly repository: string;
  readonly tag: string;
  /** Of the manifest or index. */
  readonly digest: Digest;
  /** RFC 3339, from the image config; only with `by: "created"`. */
  readonly created?: string;
}

/**
 * Finds the newest image of a repository, pinned by its digest.
 *
 * @param repository `[registry/]repository`
 * @throws NotFoundError if no tag is a version, or no image has a date.
 * @throws UsageError for a reference with a tag or digest; AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { latest } from "imgpack";
 *
 * const { reference } = await latest("registry.lan:5000/team/app", { by: "created" });
 * console.log(reference);
 * ```
 */
export async function latest(repository: string, options: LatestOptions = {}): Promise<LatestResult> {
  checkText("find the latest", "the name of a repository", repository);
  options = checkedOptions(options, LATEST_OPTIONS);
  if (isV1Reference(repository)) {
    throw new UsageError(
      `Cannot find the latest image of ${quote(repository)}: found a v1 reference, expected one of a v2 registry`,
      {
        hint: 'Images of v1 have no digest to pin them by; "imgpack tags REF --sort semver" lists their tags, the newest version first.',
      },
    );
  }
  const { signal } = options;
  const by = options.by ?? "semver";
  const reference = repositoryReference(repository, options.registry);
  return await withRegistries(options, reference.registry, async registries => {
    const repository = await registries.repositoryFor(reference, signal);
    const tags = await namedTags(repository, undefined, signal, countTo(options.onProgress, "names"));
    const found =
      by === "semver" ? await byVersion(repository, tags, options) : await byDate(repository, tags, options);
    const name = `${repository}`;
    return { reference: `${name}:${found.tag}@${found.digest}`, repository: name, ...found };
  });
}

type Found = Pick<LatestResult, "tag" | "digest" | "created">;

async function byVersion(
  repository: Repository,
  tags: readonly string[],
  { prerelease, onProgress, signal }: LatestOptions,
): Promise<Found> {
  let left = tags;
  for (let tag = newestVersion(left, prerelease); tag !== undefined; tag = newestVersion(left, prerelease)) {
    try {
      return { tag, digest: (await resolveDigest(repository, tag, signal)).digest };
    } catch (error) {
      // distribution 2 lists tags whose manifest was deleted.
      if (!(error instanceof NotFoundError)) throw error;
      noteTo(onProgress)(`${tag} is listed, but its image is gone: ${error.message}`);
      const gone = tag;
      left = left.filter(other => other !== gone);
    }
  }
  const isHidden = newestVersion(tags, true) !== undefined;
  throw new NotFoundError(
    `Cannot find the latest of ${repository}: ${tags.length} tags, none of them a version${left.length < tags.length ? " whose image is there" : ""}, expected one like 1.4.2`,
    {
      hint: isHidden
        ? "There are pre-releases: take them with --prerelease."
        : "Choose by the date of the images with --by created.",
    },
  );
}

async function byDate(repository: Repository, tags: readonly string[], options: LatestOptions): Promise<Found> {
  const dated = await datedTags(repository, tags, options);
  const [newest] = dated;
  if (newest?.created === undefined || newest.digest === undefined) {
    throw new NotFoundError(
      `Cannot find the latest of ${repository}: no image has a date, expected at least one that has`,
    );
  }
  // Of several names for the newest image, the version says most.
  const names = dated.filter(other => timeOf(other) === timeOf(newest) && other.digest === newest.digest);
  const versions = names.flatMap(({ tag }) => parseVersion(tag) ?? []);
  const best = versions.toSorted(compareVersions).at(-1)?.tag ?? newest.tag;
  return { tag: best, digest: newest.digest, created: newest.created };
}
