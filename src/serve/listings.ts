import { type Answer, jsonAnswer } from "./answer.ts";
import { type Exchange, namespaceOf } from "./exchange.ts";
import { Refusal } from "./refusal.ts";
import { requireRepository } from "./require-repository.ts";

const MAX_ENTRIES = 1000;

/** GET tags/list. */
export async function listTags(exchange: Exchange, name: string): Promise<Answer> {
  const repository = await requireRepository(exchange, name);
  const { entries, headers } = page(repository.tags(), exchange.query, `/v2/${name}/tags/list`);
  return jsonAnswer(200, { name, tags: entries }, headers);
}

/** GET _catalog: repositories that have something to pull. Not in the specification, but many clients ask. */
export function listRepositories({ query, registry }: Exchange): Answer {
  const { entries, headers } = page(registry.names(namespaceOf(query)), query, "/v2/_catalog");
  return jsonAnswer(200, { repositories: entries }, headers);
}

export interface Page {
  readonly entries: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * ASCII order, at most `n` and never more than 1000 entries after `last`; a Link when there are more (S-02).
 *
 * @throws Refusal 400 for an `n` that is not a number
 */
export function page(all: Iterable<string>, query: URLSearchParams, path: string): Page {
  const count = parseCount(query.get("n"));
  const last = query.get("last") ?? "";
  const rest = [...all].filter(entry => entry > last).sort();
  const entries = rest.slice(0, count);
  const end = entries.at(-1);
  if (end === undefined || entries.length === rest.length) return { entries, headers: {} };
  const more = new URLSearchParams({ n: String(count), last: end });
  const ns = query.get("ns");
  if (ns !== null) more.set("ns", ns);
  return { entries, headers: { link: `<${path}?${more}>; rel="next"` } };
}

function parseCount(text: string | null): number {
  if (text === null) return MAX_ENTRIES;
  if (/^[0-9]{1,20}$/.test(text)) return Math.min(Number(text), MAX_ENTRIES);
  throw new Refusal(400, "PAGINATION_NUMBER_INVALID", "n is not a number, expected 0 or more");
}
