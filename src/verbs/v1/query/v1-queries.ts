import { hasGlob, matchesRepository } from "../../../bundle/list/reference-glob.ts";
import { countTo, noteTo } from "../../../content/progress.ts";
import { NotFoundError, UsageError } from "../../../errors.ts";
import { isOneImage, parseV1Reference, type V1Reference } from "../../../oci/legacy/v1-reference.ts";
import { isTag } from "../../../oci/reference.ts";
import { readingAnswer } from "../../../registry/client/registry-answer.ts";
import { v1RepositoryName } from "../../../registry/v1/v1-names.ts";
import type { V1Store } from "../../../registry/v1/v1-store.ts";
import { counted, quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { expandV1 } from "../expand-v1.ts";
import { V1Stores } from "../v1-stores.ts";

/** In a note. */
const MAX_NAMED = 10;

/** The tags of a v1 repository, in the order of the registry. @throws UsageError; NotFoundError if none matches. */
export async function tagsOfV1(
  text: string,
  options: RemoteOptions,
): Promise<{ readonly repository: string; readonly tags: readonly string[] }> {
  const { namespace, name, tag } = parseV1Reference(text);
  if (tag !== undefined && !hasGlob(tag)) {
    throw new UsageError(`Cannot read tags of ${quote(text)}: found a tag, expected none`, {
      hint: "Leave out what follows the repository.",
    });
  }
  if (namespace === undefined || name === undefined)
    throw new UsageError(`Cannot read tags of ${quote(text)}: found no single repository, expected one`);
  return await withStore(text, options, async store => {
    const repository = { namespace, name };
    const session = await store.open(repository, options.signal);
    const listed = await session.tags(options.signal);
    const all = listed.filter(isTag);
    const others = listed.filter(found => !isTag(found));
    const tags = tag === undefined ? all : all.filter(found => matchesRepository(tag, found));
    if (others.length > 0) noteTo(options.onProgress)(leftOut(others));
    if (tag !== undefined && tags.length === 0)
      throw new NotFoundError(
        `Cannot find ${quote(text)}: none of ${counted(all.length, "tag")} matches, expected one`,
      );
    return { repository: v1RepositoryName(store, repository), tags };
  });
}

function leftOut(tags: readonly string[]): string {
  const some = tags.slice(0, MAX_NAMED).map(quote).join(", ");
  const more = tags.length > MAX_NAMED ? ", …" : "";
  return `${counted(tags.length, "tag")} left out that no other registry takes: ${some}${more}`;
}

/** Whether a v1 registry has a tag. @throws UsageError; AuthError, NetworkError, RegistryError. */
export async function existsInV1(text: string, options: RemoteOptions): Promise<boolean> {
  return (await missingInV1([text], options)).length === 0;
}

/**
 * Those of several references that v1 registries do not have. Of wildcards, one tag that matches is enough.
 *
 * @param trusted references of the call itself: only their registries get its credentials.
 * @throws UsageError, BadReferenceError; AuthError, NetworkError, RegistryError.
 */
export async function missingInV1(
  texts: readonly string[],
  options: RemoteOptions,
  trusted: readonly string[] = texts,
): Promise<readonly string[]> {
  const { signal } = options;
  await using stores = new V1Stores(options, trusted);
  stores.admit(texts);
  const isMissing = async (text: string): Promise<boolean> => {
    try {
      const lookup = { stores, keepGoing: true, onNote: () => undefined, signal };
      const expanded = await expandV1([{ reference: text }], lookup);
      const [failure] = expanded.failed;
      if (expanded.images.length === 0 && failure !== undefined) throw failure.error;
      // Without wildcards, a reference has cost no request yet.
      if (isOneImage(parseV1Reference(text)))
        for (const { session, tag } of expanded.images) await (await session(signal)).tag(tag, signal);
      return false;
    } catch (error) {
      if (error instanceof NotFoundError) return true;
      throw error;
    }
  };
  return await readingAnswer(async () => {
    const missing: string[] = [];
    for (const text of new Set(texts)) if (await isMissing(text)) missing.push(text);
    return missing;
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
    const onNote = noteTo(options.onProgress);
    const onFound = countTo(options.onProgress, "names");
    for await (const repository of store.repositories(options.signal, (_, error) =>
      onNote(`${error.message}: left out`),
    )) {
      if (repositories.length === limit) break;
      repositories.push(`${repository.namespace}/${repository.name}`);
      onFound(1);
    }
    return { registry: store.name, repositories };
  });
}

/** Runs `task` with the store that a reference names, and closes it. */
export async function withStore<T>(
  text: string,
  options: RemoteOptions,
  task: (store: V1Store) => Promise<T>,
): Promise<T> {
  await using stores = new V1Stores(options, [text]);
  stores.admit([text]);
  return await readingAnswer(
    async () => await task(await stores.storeFor(parseV1Reference(text).store, options.signal)),
  );
}
