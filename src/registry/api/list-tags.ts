import { RegistryError } from "../../errors.ts";
import { isTag } from "../../oci/reference.ts";
import { array, checkSchema, fields, nullish, unknown } from "../../util/json/schema.ts";
import type { ManifestPlace } from "./manifests.ts";
import { readPages } from "./pages.ts";

/** ECR refuses more, and most registries send no more than that. */
const PAGE_SIZE = 1000;

const tagsSchema = fields({ tags: nullish(array(unknown())) });

/**
 * Tags of a repository ("Listing Tags"), a page at a time, in the registry's order, each once. What is no tag is left
 * out: Nexus lists nulls, Artifactory digests.
 *
 * @param most as many as the caller needs; a smaller page is asked for then.
 * @throws NotFoundError for an unknown repository.
 */
export async function* listTags(place: ManifestPlace, most: number = PAGE_SIZE): AsyncGenerator<readonly string[]> {
  const { client, repository, signal } = place;
  const what = "tags";
  const where = `${client.registry}/${repository}`;
  const pages = readPages<string>({
    client,
    what,
    repository,
    path: `/v2/${repository}/tags/list`,
    pageSize: Math.min(most, PAGE_SIZE),
    read: page => texts(checkSchema(tagsSchema, page, what, where, notAList).tags),
    keyOf: tag => tag,
    signal,
  });
  for await (const page of pages) {
    const tags = page.filter(isTag);
    if (tags.length > 0) yield tags;
  }
}

/** Entries that are texts, and not empty. */
export function texts(list: readonly unknown[] | null | undefined): readonly string[] {
  return (list ?? []).filter((entry): entry is string => typeof entry === "string" && entry !== "");
}

export function notAList(_reason: string, message: string): Error {
  return new RegistryError(message, { status: 200, hint: "This host may be no registry: check the name." });
}
