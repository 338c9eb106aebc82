import { quote } from "../../../util/format.ts";
import type { V1Client } from "../v1-client.ts";
import { isV1Name } from "../v1-names.ts";
import type { V1Repository } from "../v1-store.ts";
import { searchPages } from "./search-pages.ts";

const MAX_NOTES = 10;

/**
 * All repositories of a v1 registry, each once: a search with an empty term, which is the only list that there is. What is
 * no name is left out, and noted.
 *
 * @throws NotFoundError where there is no search; RegistryError for a list without an end.
 */
export async function* searchV1(
  client: V1Client,
  onNote: (text: string) => void,
  signal?: AbortSignal,
): AsyncGenerator<V1Repository, void> {
  const seen = new Set<string>();
  let badNames = 0;
  for await (const page of searchPages(client, "", signal)) {
    for (const { name } of page) {
      const repository = repositoryOf(name);
      if (repository === undefined) {
        badNames += 1;
        if (badNames <= MAX_NOTES) onNote(`${client.registry} lists ${quote(name)}, which is no repository: left out`);
        continue;
      }
      const key = `${repository.namespace}/${repository.name}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield repository;
    }
  }
}

function repositoryOf(text: string): V1Repository | undefined {
  const parts = text.includes("/") ? text.split("/") : ["library", text];
  const [namespace = "", name = ""] = parts;
  return parts.length === 2 && isV1Name(namespace) && isV1Name(name) ? { namespace, name } : undefined;
}
