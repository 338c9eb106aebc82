import { hasGlob, matchesRepository, matchesTag, parseGlob } from "../../bundle/list/reference-glob.ts";
import { ImgpackError, NotFoundError, UsageError } from "../../errors.ts";
import { formatReference, isRepository } from "../../oci/reference.ts";
import { hintingAtV1 } from "../../registry/api/v1-hint.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { counted, quote } from "../../util/format.ts";
import { TaskGroup } from "../../util/task-group.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import { type RemoteOptions, readableReference } from "../shared/remote-image.ts";
import { listRepositories } from "./list-repositories.ts";
import { formatRequested, type RequestedImage } from "./requested-image.ts";

/** Repositories whose tags are listed at once. */
const CONCURRENCY = 6;

export interface ExpandOptions {
  readonly registry?: RemoteOptions["registry"];
  /** Is called with wildcards that cannot be replaced; by default they are an error. */
  readonly onFailed?: ((image: RequestedImage, error: ImgpackError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A reference with wildcards, with its registry. */
interface WholeGlob {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** The registry of a reference, which may have wildcards. @throws BadReferenceError, UsageError */
export function registryOf(text: string, registry: RemoteOptions["registry"]): string {
  return hasGlob(text) ? wholeGlob(text, registry).registry : readableReference(text, registry).registry;
}

/**
 * Replaces references with wildcards by all that match: each repository is listed once, and the list of repositories is
 * read for those with wildcards alone. What matched is counted in a note.
 *
 * @returns each image once, in the order of the registry.
 * @throws NotFoundError if nothing matches; AuthError, NetworkError, RegistryError, also from a registry without a list of
 * repositories.
 */
export async function expandReferences(
  images: readonly RequestedImage[],
  registries: RegistryPool,
  options: ExpandOptions,
): Promise<readonly RequestedImage[]> {
  if (!images.some(({ reference }) => hasGlob(reference))) return images;
  const expander = new Expander(registries, options);
  const found = new Map<string, RequestedImage>();
  for (const image of images) {
    const matches = hasGlob(image.reference) ? await expander.expand(image) : [image];
    for (const match of matches) found.set(formatRequested(match), match);
  }
  return [...found.values()];
}

class Expander {
  readonly #registries: RegistryPool;
  readonly #options: ExpandOptions;
  /** Repositories of each registry. */
  readonly #catalogs = new Map<string, Promise<readonly string[]>>();

  constructor(registries: RegistryPool, options: ExpandOptions) {
    this.#registries = registries;
    this.#options = options;
  }

  async expand(image: RequestedImage): Promise<readonly RequestedImage[]> {
    const { onFailed, signal, registry } = this.#options;
    try {
      const glob = wholeGlob(image.reference, registry);
      if (image.digest !== undefined || (image.name !== undefined && hasGlob(glob.repository))) {
        throw new UsageError(
          `Cannot use ${quote(image.reference)}: found one name or digest for all that match, expected none`,
        );
      }
      return (await readingAnswer(async () => await this.#matches(glob, image.reference))).map(reference => ({
        ...image,
        reference,
      }));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ImgpackError) || onFailed === undefined) throw error;
      onFailed(image, error);
      return [];
    }
  }

  async #matches(glob: WholeGlob, text: string): Promise<readonly string[]> {
    const { registry, repository, tag } = glob;
    const isWide = hasGlob(repository);
    const repositories = isWide ? await this.#repositories(glob) : [repository];
    const tags = await this.#tagsOf(registry, repositories, isWide);
    const found = repositories.flatMap((name, index) => {
      const matching = (tags[index] ?? []).filter(candidate => matchesTag(tag, candidate));
      return matching.map(candidate => ({
        name,
        reference: formatReference({ registry, repository: name, tag: candidate }),
      }));
    });
    if (found.length === 0) {
      const all = tags.reduce((sum, { length }) => sum + length, 0);
      const where = isWide ? inRepositories(repositories.length) : "";
      throw new NotFoundError(
        `Cannot find ${quote(text)}: none of ${counted(all, "tag")}${where} matches, expected one`,
        {
          hint: "Tags that begin with sha256- belong to signatures and never match.",
        },
      );
    }
    const where = isWide ? inRepositories(new Set(found.map(({ name }) => name)).size) : "";
    this.#registries.note(`${quote(text)} matches ${counted(found.length, "tag")}${where}`);
    return found.map(({ reference }) => reference);
  }

  async #repositories({ registry, repository }: WholeGlob): Promise<readonly string[]> {
    const { signal } = this.#options;
    const list = async (): Promise<readonly string[]> =>
      await listRepositories(await this.#registries.clientFor(registry, signal), undefined, signal);
    const known = this.#catalogs.get(registry) ?? list();
    this.#catalogs.set(registry, known);
    return (await known).filter(name => isRepository(name) && matchesRepository(repository, name));
  }

  /** @param isListed whether the registry named them: it also names those whose last image was deleted. */
  async #tagsOf(
    registry: string,
    repositories: readonly string[],
    isListed: boolean,
  ): Promise<readonly (readonly string[])[]> {
    const { tagLists, repositoryFor } = this.#registries;
    const found: (readonly string[])[] = [];
    await using group = new TaskGroup(CONCURRENCY, this.#options.signal);
    for (const [index, repository] of repositories.entries()) {
      await group.room();
      void group.start(async signal => {
        const remote: Repository = await repositoryFor({ registry, repository }, signal);
        const list = async (): Promise<readonly string[]> => await tagLists.tagsOf(remote, signal);
        found[index] = isListed
          ? await list().catch((error: unknown) => {
              if (error instanceof NotFoundError) return [];
              throw error;
            })
          : await hintingAtV1(remote.client, list, signal, `write v1://${remote}`);
      });
    }
    await group.ended();
    return found;
  }
}

function inRepositories(count: number): string {
  return ` in ${count === 1 ? "1 repository" : `${count} repositories`}`;
}

/** @throws BadReferenceError, UsageError */
function wholeGlob(text: string, registry: RemoteOptions["registry"]): WholeGlob {
  const { tag = "*", ...glob } = parseGlob(text);
  if (hasGlob(glob.repository)) return { registry: glob.registry ?? "", repository: glob.repository, tag };
  const { registry: host, repository } = readableReference(formatReference(glob), registry);
  return { registry: host, repository, tag };
}
