import { isRepository, isTag } from "../../oci/reference.ts";
import { sortByVersion } from "../../oci/semver.ts";
import { knownRegistries } from "../../registry/credentials/known-registries.ts";
import type { RemoteOptions } from "../shared/remote-image.ts";
import { catalog } from "./catalog.ts";
import { tags } from "./tags.ts";

export { knownRegistries };

/** Where a listing ends. A registry that sends so many names takes a second or more for them. */
const MAX_LISTED = 10_000;

/** Well-formed tags of a repository that begin with `start`, the newest version first. @throws as `tags` */
export async function offeredTags(
  repository: string,
  start: string,
  options: RemoteOptions,
): Promise<readonly string[]> {
  const found = await tags(repository, { ...options, limit: MAX_LISTED });
  return sortByVersion(found.tags.map(({ tag }) => tag).filter(tag => tag.startsWith(start) && isTag(tag)));
}

/** Well-formed names of repositories of a registry that begin with `start`. @throws as `catalog` */
export async function offeredRepositories(
  registry: string,
  start: string,
  options: RemoteOptions,
): Promise<readonly string[]> {
  const { repositories } = await catalog(registry, { ...options, limit: MAX_LISTED });
  return repositories.filter(name => name.startsWith(start) && isRepository(name));
}
