import { array, checkSchema, fields, nullish, unknown } from "../../util/json/schema.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { notAList, texts } from "./list-tags.ts";
import { readPages } from "./pages.ts";

/** distribution 3 and ECR refuse more. */
const PAGE_SIZE = 1000;

const catalogSchema = fields({ repositories: nullish(array(unknown())) });

/**
 * Repositories of a registry, a page at a time. Not part of the distribution specification: many registries have no such
 * list, or show it to administrators only. Names are foreign text, as they came.
 */
export async function* listCatalog(
  client: RegistryClient,
  most: number = PAGE_SIZE,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const what = "list of repositories";
  yield* readPages<string>({
    client,
    what,
    // It belongs to none: the token is asked for what the challenge names.
    repository: "",
    path: "/v2/_catalog",
    pageSize: Math.min(most, PAGE_SIZE),
    read: page => texts(checkSchema(catalogSchema, page, what, client.registry, notAList).repositories),
    keyOf: name => name,
    signal,
  });
}
