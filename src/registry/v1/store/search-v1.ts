import { ImgpackError, NotFoundError, RegistryError } from "../../../errors.ts";
import { quote } from "../../../util/format.ts";
import { array, checkSchema, fields, nullish, number, unknown } from "../../../util/json/schema.ts";
import type { ResponseContext } from "../../http/response-error.ts";
import type { V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { isV1Name } from "../v1-names.ts";
import type { V1Repository } from "../v1-store.ts";
import { pingV1 } from "./ping-v1.ts";
import { readDocument } from "./read-document.ts";

/** The most that the Hub and Quay send at once. */
const PAGE_SIZE = 100;
const MAX_PAGES = 10_000;
const MAX_ENTRIES = 1_000_000;
const MAX_NOTES = 10;
const LIST_HINT = "Name the repositories in a file instead: -f FILE.";

const searchSchema = fields({
  results: nullish(array(unknown())),
  num_pages: nullish(number()),
  num_results: nullish(number()),
});
const resultSchema = fields({ name: unknown() });

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
  let listed = 0;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const { results, num_pages: pages, num_results: total } = await readPage(client, page, signal);
    if (results == null) throw noSearch(client, "an answer without results");
    listed += results.length;
    if (listed > MAX_ENTRIES) throw endless(client, `more than ${MAX_ENTRIES} entries`);
    const before = seen.size;
    for (const result of results) {
      const text = nameIn(result, client);
      const repository = repositoryOf(text);
      if (repository === undefined) {
        badNames += 1;
        if (badNames <= MAX_NOTES) onNote(`${client.registry} lists ${quote(text)}, which is no repository: left out`);
        continue;
      }
      const key = `${repository.namespace}/${repository.name}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield repository;
    }
    // A server that knows no pages sends the same list again.
    if (seen.size === before || page >= (pages ?? MAX_PAGES) || (pages == null && listed >= (total ?? 0))) return;
  }
  throw endless(client, `more than ${MAX_PAGES} pages`);
}

async function readPage(client: V1Client, page: number, signal: AbortSignal | undefined) {
  const call: V1Call = {
    verb: "read",
    what: "list of repositories",
    method: "GET",
    path: `search?q=&page=${page}&n=${PAGE_SIZE}`,
    accept: [200],
    // A page without a server behind it says as little as an absent search.
    explain: refusal => (page === 1 && isNoSearch(refusal) ? noSearch(client, `status ${refusal.status}`) : undefined),
    signal,
  };
  try {
    const answer = await client.call(call);
    return readDocument(searchSchema, answer, call, { registry: client.registry, where: client.registry });
  } catch (error) {
    // The same status says that the whole API is gone: the only request that tells.
    if (error instanceof NotFoundError) await pingV1(client, signal).catch(cause => throwUnless(cause, error));
    throw error;
  }
}

function throwUnless(cause: unknown, error: Error): void {
  throw cause instanceof ImgpackError ? cause : error;
}

function isNoSearch({ status }: ResponseContext): boolean {
  return status === 400 || status === 404 || status === 405 || status === 501;
}

function noSearch({ registry }: V1Client, found: string): NotFoundError {
  return new NotFoundError(
    `Cannot read list of repositories from ${registry}: ${found}, expected a search with an empty term`,
    { hint: LIST_HINT },
  );
}

function endless({ registry }: V1Client, found: string): RegistryError {
  return new RegistryError(`Cannot read list of repositories from ${registry}: ${found}, expected fewer`, {
    status: 200,
    hint: LIST_HINT,
  });
}

function nameIn(result: unknown, { registry }: V1Client): string {
  const fail = (_reason: string, message: string): RegistryError => new RegistryError(message, { status: 200 });
  const { name } = checkSchema(resultSchema, result, "list of repositories", registry, fail);
  return typeof name === "string" ? name : JSON.stringify(name);
}

function repositoryOf(text: string): V1Repository | undefined {
  const parts = text.includes("/") ? text.split("/") : ["library", text];
  const [namespace = "", name = ""] = parts;
  return parts.length === 2 && isV1Name(namespace) && isV1Name(name) ? { namespace, name } : undefined;
}
