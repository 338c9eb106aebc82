import { hasGlob, matchesRepository } from "../../../bundle/list/reference-glob.ts";
import { NotFoundError, UsageError } from "../../../errors.ts";
import { parseV1Reference, type V1Reference } from "../../../oci/legacy/v1-reference.ts";
import { readingAnswer } from "../../../registry/client/registry-answer.ts";
import type { V1Store } from "../../../registry/v1/v1-store.ts";
import { counted, quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { v1RepositoryName } from "../expand-v1.ts";
import { V1Stores } from "../v1-stores.ts";

/** The tags of a v1 repository, in the order of the registry. @throws UsageError; NotFoundError if none matches. */
export async function tagsOfV1(
  text: string,
  options: RemoteOptions,
): Promise<{ readonly repository: string; readonly tags: readonly string[] }> {
  const { namespace, name, tag } = parseV1Reference(text);
  if (namespace === undefined || name === undefined || (tag !== undefined && !hasGlob(tag)))
    throw new UsageError(`Cannot read tags of ${quote(text)}: found no single repository, expected one without a tag`);
  return await withStore(text, options, async store => {
    const repository = { namespace, name };
    const session = await store.open(repository, options.signal);
    const all = [...(await session.tags(options.signal)).keys()];
    const tags = tag === undefined ? all : all.filter(found => matchesRepository(tag, found));
    if (tag !== undefined && tags.length === 0)
      throw new NotFoundError(
        `Cannot find ${quote(text)}: none of ${counted(all.length, "tag")} matches, expected one`,
      );
    return { repository: v1RepositoryName(store, repository), tags };
  });
}

/** Whether a v1 registry has a tag. @throws UsageError; AuthError, NetworkError, RegistryError. */
export async function existsInV1(text: string, options: RemoteOptions): Promise<boolean> {
  const { namespace, name, tag = "latest" } = parseV1Reference(text);
  if (namespace === undefined || name === undefined || hasGlob(tag))
    throw new UsageError(`Cannot look for ${quote(text)}: found no single image, expected one`);
  return await withStore(text, options, async store => {
    try {
      const session = await store.open({ namespace, name }, options.signal);
      await session.tag(tag, options.signal);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  });
}

/** The repositories of a v1 registry, by a search with an empty term. @throws NotFoundError without a search. */
export async function catalogOfV1(
  text: string,
  limit: number | undefined,
  options: RemoteOptions,
): Promise<{ readonly registry: string; readonly repositories: readonly string[] }> {
  const { name, glob }: V1Reference = parseV1Reference(text);
  if (name !== undefined || glob !== undefined)
    throw new UsageError(`Cannot list repositories of ${quote(text)}: found more than a registry, expected v1://HOST`);
  return await withStore(text, options, async store => {
    const repositories: string[] = [];
    for await (const repository of store.repositories(options.signal)) {
      if (repositories.length === limit) break;
      repositories.push(`${repository.namespace}/${repository.name}`);
    }
    return { registry: store.name, repositories };
  });
}

async function withStore<T>(text: string, options: RemoteOptions, task: (store: V1Store) => Promise<T>): Promise<T> {
  await using stores = new V1Stores(options, [text]);
  stores.admit([text]);
  return await readingAnswer(
    async () => await task(await stores.storeFor(parseV1Reference(text).store, options.signal)),
  );
}
