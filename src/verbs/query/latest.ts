import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { compareVersions, newestVersion, parseVersion } from "../../oci/semver.ts";
import type { ManifestPlace } from "../../registry/api/manifests.ts";
import { quote } from "../../util/format.ts";
import {
  placeOf,
  type RemoteOptions,
  repositoryName,
  repositoryReference,
  withRegistries,
} from "../shared/remote-image.ts";
import { resolveDigest } from "./digest.ts";
import { allTags } from "./tags.ts";
import { datedTags, timeOf } from "./tags-created.ts";

export interface LatestOptions extends RemoteOptions {
  /** "semver", the default: the highest version among the tags. "created": the image that was built last, of all tags. */
  readonly by?: string | undefined;
  /** Versions with a suffix count too: `1.5.0-rc.1`, `1.5.0-alpine`. */
  readonly prereleases?: boolean | undefined;
}

export interface LatestResult {
  /** `registry/repository:tag@digest` */
  readonly reference: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  /** Where it was asked for. */
  readonly created?: string;
}

/**
 * The newest image of a repository, pinned by its digest.
 *
 * @throws NotFoundError when no tag is a version, or none tells a date.
 */
export async function latest(repository: string, options: LatestOptions = {}): Promise<LatestResult> {
  const { by = "semver", signal } = options;
  if (by !== "semver" && by !== "created") {
    throw new UsageError(`Cannot choose the latest by ${quote(by)}: unknown order, expected semver or created`);
  }
  const reference = repositoryReference(repository, options.registry);
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, reference, signal);
    const name = repositoryName(reference);
    const tags = await allTags(place);
    const found =
      by === "semver" ? await byVersion(place, tags, options, name) : await byDate(place, tags, options, name);
    return { reference: `${name}:${found.tag}@${found.digest}`, repository: name, ...found };
  });
}

type Found = Pick<LatestResult, "tag" | "digest" | "created">;

async function byVersion(
  place: ManifestPlace,
  tags: readonly string[],
  { prereleases }: LatestOptions,
  name: string,
): Promise<Found> {
  const tag = newestVersion(tags, prereleases);
  if (tag !== undefined) return { tag, digest: (await resolveDigest(place, tag)).digest };
  const isHidden = newestVersion(tags, true) !== undefined;
  throw new NotFoundError(
    `Cannot find the latest of ${name}: ${tags.length} tags, none of them a version, expected one like 1.4.2`,
    {
      hint: isHidden
        ? "There are pre-releases: take them with --prerelease."
        : "Choose by the date of the images with --by created.",
    },
  );
}

async function byDate(
  place: ManifestPlace,
  tags: readonly string[],
  { onProgress }: LatestOptions,
  name: string,
): Promise<Found> {
  const dated = await datedTags(place, tags, message => onProgress?.({ kind: "note", message }));
  const [newest] = dated;
  if (newest?.created === undefined || newest.digest === undefined) {
    throw new NotFoundError(`Cannot find the latest of ${name}: no tag tells a date, expected an image that does`);
  }
  // Of several names for the newest image, the version says most.
  const names = dated.filter(other => timeOf(other) === timeOf(newest) && other.digest === newest.digest);
  const versions = names.flatMap(({ tag }) => parseVersion(tag) ?? []);
  const best = versions.toSorted(compareVersions).at(-1)?.tag ?? newest.tag;
  return { tag: best, digest: newest.digest, created: newest.created };
}
