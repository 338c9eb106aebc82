import { NotFoundError, RegistryError } from "../../../errors.ts";
import { array, checkSchema, fields, nullish, number, type Schema, unknown } from "../../../util/json/schema.ts";
import type { ResponseContext } from "../../http/response-error.ts";
import type { V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { pingV1 } from "./ping-v1.ts";
import { readDocument } from "./read-document.ts";

/** What a search found; foreign text. */
export interface V1SearchResult {
  /** `namespace/name`, or `name` alone: unchecked. */
  readonly name: string;
  readonly description?: string;
}

/** The most that the Hub and Quay send at once. */
const PAGE_SIZE = 100;
const MAX_PAGES = 10_000;
const MAX_ENTRIES = 1_000_000;
/** Of all names together. */
const MAX_LIST_CHARACTERS = 64 * 1024 * 1024;
const LIST_HINT = "Write the names in a file, one v1:// reference a line: pull and copy take it with -f FILE.";

const searchSchema = fields({
  results: nullish(array(unknown())),
  num_pages: nullish(number()),
  num_results: nullish(number()),
});
const resultSchema: Schema<{ readonly name: unknown; readonly description?: unknown }> = fields({
  name: unknown(),
  description: nullish(unknown()),
});

/**
 * The pages of a search, `GET /v1/search`, each with what no earlier one had.
 *
 * @param term an empty one lists all repositories, where there is such a list.
 * @throws NotFoundError where there is no search; RegistryError for results without an end.
 */
export async function* searchPages(
  client: V1Client,
  term: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly V1SearchResult[], void> {
  const words = wordsOf(term);
  const seen = new Set<string>();
  let listed = 0;
  let characters = 0;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const { results, num_pages: pages, num_results: total } = await readPage(client, term, page, signal);
    if (results == null) throw noSearch(client, words, "an answer without results");
    listed += results.length;
    if (listed > MAX_ENTRIES) throw endless(client, words, `more than ${MAX_ENTRIES} entries`);
    const fresh: V1SearchResult[] = [];
    for (const result of results.map(entry => resultIn(entry, client, words))) {
      if (seen.has(result.name)) continue;
      seen.add(result.name);
      characters += result.name.length;
      fresh.push(result);
    }
    if (characters > MAX_LIST_CHARACTERS) throw endless(client, words, `more than ${MAX_LIST_CHARACTERS} characters`);
    yield fresh;
    // A server that knows no pages sends the same list again.
    if (fresh.length === 0 || page >= (pages ?? MAX_PAGES) || (pages == null && listed >= (total ?? 0))) return;
  }
  throw endless(client, words, `more than ${MAX_PAGES} pages`);
}

interface Words {
  /** As in messages. */
  readonly what: string;
  readonly expected: string;
  readonly hint: string | undefined;
}

function wordsOf(term: string): Words {
  if (term !== "") return { what: "search results", expected: "a search", hint: "Not every registry has a search." };
  return { what: "list of repositories", expected: "a search with an empty term", hint: LIST_HINT };
}

async function readPage(client: V1Client, term: string, page: number, signal: AbortSignal | undefined) {
  const words = wordsOf(term);
  const call: V1Call = {
    verb: "read",
    what: words.what,
    method: "GET",
    path: `search?q=${encodeURIComponent(term)}&page=${page}&n=${PAGE_SIZE}`,
    accept: [200],
    // A page without a server behind it says as little as an absent search.
    explain: refusal =>
      page === 1 && isNoSearch(refusal) ? noSearch(client, words, `status ${refusal.status}`) : undefined,
    signal,
  };
  try {
    const answer = await client.call(call);
    return readDocument(searchSchema, answer, call, client.registry);
  } catch (error) {
    // The same status says that the whole API is gone: the only request that tells.
    if (error instanceof NotFoundError) await pingV1(client, signal);
    throw error;
  }
}

function isNoSearch({ status }: ResponseContext): boolean {
  return status === 400 || status === 404 || status === 405 || status === 501;
}

function noSearch({ registry }: V1Client, { what, expected, hint }: Words, found: string): NotFoundError {
  return new NotFoundError(`Cannot read ${what} from ${registry}: ${found}, expected ${expected}`, { hint });
}

function endless({ registry }: V1Client, { what, hint }: Words, found: string): RegistryError {
  return new RegistryError(`Cannot read ${what} from ${registry}: ${found}, expected fewer`, { status: 200, hint });
}

function resultIn(entry: unknown, { registry }: V1Client, { what }: Words): V1SearchResult {
  const fail = (_reason: string, message: string): RegistryError => new RegistryError(message, { status: 200 });
  const { name, description } = checkSchema(resultSchema, entry, what, registry, fail);
  return {
    name: typeof name === "string" ? name : JSON.stringify(name),
    ...(typeof description === "string" && description !== "" ? { description } : {}),
  };
}
