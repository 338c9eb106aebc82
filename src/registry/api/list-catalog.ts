import { array, checkSchema, fields, nullish, unknown } from "../../util/json/schema.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { Repository } from "../client/repository.ts";
import { texts } from "./list-tags.ts";
import { readPages } from "./pages.ts";

/** distribution 3 and ECR refuse more. */
const PAGE_SIZE = 1000;

const catalogSchema = fields({ repositories: nullish(array(unknown())) });

/**
 * Repositories of a registry, a page at a time. Not part of the distribution specification: many registries have no such
 * list, or show it only to administrators. Names are foreign text, unchanged.
 *
 * @param limit as many as the caller needs.
 */
export async function* listCatalog(
  client: RegistryClient,
  limit: number = PAGE_SIZE,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const what = "list of repositories";
  // The list belongs to no repository, so the token covers what the challenge names.
  yield* readPages<string>(new Repository(client, ""), {
    what,
    path: "_catalog",
    pageSize: Math.min(limit, PAGE_SIZE),
    read: page => texts(checkSchema(catalogSchema, page, what, client.registry).repositories),
    keyOf: name => name,
    signal,
  });
}
