import { isTag } from "../../oci/reference.ts";
import { array, checkSchema, fields, nullish, unknown } from "../../util/json/schema.ts";
import type { Repository } from "../client/repository.ts";
import { type PageRequest, readPages } from "./pages.ts";

/** ECR refuses more, and most registries send at most this many. */
const PAGE_SIZE = 1000;

const tagsSchema = fields({ tags: nullish(array(unknown())) });

/**
 * Tags of a repository ("Listing Tags"), a page at a time, in the registry's order, each once. Entries that are no tags are
 * left out: Nexus lists nulls, Artifactory digests.
 *
 * @param limit as many as the caller needs; the page size is at most this.
 * @throws NotFoundError for an unknown repository.
 */
export async function* listTags(
  repository: Repository,
  limit: number = PAGE_SIZE,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[]> {
  for await (const page of readPages<string>(repository, tagRequest(repository, limit, signal))) {
    const tags = page.filter(isTag);
    if (tags.length > 0) yield tags;
  }
}

/** The first tags, at most a page of them: one request, without retries. @throws NotFoundError for an unknown repository. */
export async function firstTags(repository: Repository, signal?: AbortSignal): Promise<readonly string[]> {
  const request = { ...tagRequest(repository, PAGE_SIZE, signal), isTriedOnce: true };
  for await (const page of readPages<string>(repository, request)) return page.filter(isTag).slice(0, PAGE_SIZE);
  return [];
}

function tagRequest(repository: Repository, limit: number, signal: AbortSignal | undefined): PageRequest<string> {
  const what = "tags";
  return {
    what,
    path: "tags/list",
    pageSize: Math.min(limit, PAGE_SIZE),
    read: page => texts(checkSchema(tagsSchema, page, what, `${repository}`).tags),
    keyOf: tag => tag,
    signal,
  };
}

/** The entries that are strings and not empty. */
export function texts(list: readonly unknown[] | null | undefined): readonly string[] {
  return (list ?? []).filter((entry): entry is string => typeof entry === "string" && entry !== "");
}
