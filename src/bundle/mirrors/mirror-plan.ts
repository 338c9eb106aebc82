import { type ImageMapping, mapImageName } from "../../oci/names/image-mapping.ts";
import { formatReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { compareText } from "../../oci/semver.ts";

/** The registry that has the images, as the machines that pull reach it. */
export interface MirrorTarget {
  /** `host[:port]` */
  readonly registry: string;
  readonly scheme: "http" | "https";
  /** Whether any certificate is accepted. */
  readonly isInsecure: boolean;
  /** Path of PEM certificates on the machines that pull. */
  readonly caFile?: string | undefined;
}

/** A repository as its users know it, and where it is. */
export interface MirroredRepository {
  readonly registry: string;
  readonly repository: string;
  /** Repository at the target. */
  readonly target: string;
  /** Whether one of its images has a tag; all of them have digests. */
  readonly hasTags: boolean;
}

/** A registry with the repositories that images name. */
export interface MirroredRegistry {
  readonly registry: string;
  /** By name. */
  readonly repositories: readonly MirroredRepository[];
  /** What comes before most of its repositories at the target, "" for nothing; undefined if none is there under its own path. */
  readonly prefix: string | undefined;
  /** Whether the repositories of another registry have the same prefix: the two cannot be told apart there. */
  readonly isShared: boolean;
}

export interface MirrorPlan {
  readonly target: MirrorTarget;
  /** By name. */
  readonly registries: readonly MirroredRegistry[];
}

/**
 * Where the images of some names are, by registry: what the files of all runtimes are made from.
 *
 * @throws UsageError as `mapImageName`
 */
export function planMirrors(
  names: readonly Reference[],
  mapping: Pick<ImageMapping, "prefix" | "layout" | "maps">,
  target: MirrorTarget,
): MirrorPlan {
  const found = new Map<string, MirroredRepository>();
  for (const name of names) {
    const { registry, repository } = resolveDockerHub(name);
    const { repository: at } = mapImageName(name, { ...mapping, registry: target.registry });
    // What is named as it is at the target needs no mirror.
    if (registry === target.registry && at === repository) continue;
    const key = `${registry}/${repository}`;
    const hasTags = name.tag !== undefined || name.digest === undefined || found.get(key)?.hasTags === true;
    found.set(key, { registry, repository, target: at, hasTags });
  }
  const all = [...found.values()].sort((left, right) => compareText(fullName(left), fullName(right)));
  const registries = [...new Set(all.map(({ registry }) => registry))].sort(compareText).map(registry => {
    const repositories = all.filter(one => one.registry === registry);
    return { registry, repositories, prefix: prefixOf(repositories), isShared: false };
  });
  return {
    target,
    registries: registries.map(one => ({
      ...one,
      isShared: one.prefix !== undefined && registries.some(other => other !== one && other.prefix === one.prefix),
    })),
  };
}

/** `registry/repository` */
export function fullName({ registry, repository }: Pick<MirroredRepository, "registry" | "repository">): string {
  return formatReference({ registry, repository });
}

/** The repositories that are not at the path of their own below the prefix. */
export function outsidePrefix({ repositories, prefix }: MirroredRegistry): readonly MirroredRepository[] {
  return repositories.filter(one => prefix === undefined || one.target !== below(prefix, one.repository));
}

/** `prefix/repository` */
export function below(prefix: string, repository: string): string {
  return prefix === "" ? repository : `${prefix}/${repository}`;
}

/** The prefix that most repositories have; of several the shortest one, then the first by name. */
function prefixOf(repositories: readonly MirroredRepository[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { repository, target } of repositories) {
    const prefix =
      target === repository
        ? ""
        : target.endsWith(`/${repository}`)
          ? target.slice(0, -repository.length - 1)
          : undefined;
    if (prefix !== undefined) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const [best] = [...counts].sort(
    ([left, leftCount], [right, rightCount]) =>
      rightCount - leftCount || left.length - right.length || compareText(left, right),
  );
  return best?.[0];
}
