import { append } from "../../util/append.ts";
import { KeptResults } from "../../util/lazy/kept-results.ts";
import type { Repository } from "../client/repository.ts";
import { listTags } from "./list-tags.ts";
import { hintingAtV1 } from "./v1-hint.ts";

/** The tags of repositories, each listed once a run. */
export class TagLists {
  readonly #lists = new KeptResults<readonly string[]>();
  readonly #sets = new WeakMap<readonly string[], ReadonlySet<string>>();
  readonly #onTags: (count: number) => void;

  /** @param onTags is called with the number of tags of each page. */
  constructor(onTags: (count: number) => void = () => undefined) {
    this.#onTags = onTags;
  }

  /**
   * All tags of a repository, in the registry's order.
   *
   * @throws NotFoundError for an unknown repository; AuthError, NetworkError, RegistryError. A failed listing is not repeated.
   */
  async tagsOf(repository: Repository, signal?: AbortSignal): Promise<readonly string[]> {
    const list = async (own: AbortSignal): Promise<readonly string[]> =>
      await allTags(repository, Number.POSITIVE_INFINITY, own, this.#onTags);
    return await this.#lists.get(`${repository}`, list, signal);
  }

  /** As `tagsOf`, to be asked for single tags: thousands of images may be in one repository. */
  async tagSetOf(repository: Repository, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const tags = await this.tagsOf(repository, signal);
    const known = this.#sets.get(tags) ?? new Set(tags);
    this.#sets.set(tags, known);
    return known;
  }
}

/** As `allTags`, of a repository that was named: if its host speaks v1 only, the error says so. */
export async function namedTags(
  repository: Repository,
  limit?: number,
  signal?: AbortSignal,
  onTags?: (count: number) => void,
): Promise<readonly string[]> {
  const list = async (): Promise<readonly string[]> => await allTags(repository, limit, signal, onTags);
  return await hintingAtV1(repository.client, list, signal, `write v1://${repository}`);
}

/** @param limit where the listing stops. @param onTags is called with the number of tags of each page. */
export async function allTags(
  repository: Repository,
  limit: number = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
  onTags?: (count: number) => void,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of listTags(repository, limit, signal)) {
    append(found, page);
    onTags?.(page.length);
    if (found.length >= limit) break;
  }
  return found;
}
