import { NotFoundError, RegistryError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { type RegistryAnswer, readingAnswer } from "../client/registry-answer.ts";
import type { Repository, RepositoryCall } from "../client/repository.ts";
import type { RetryingOptions } from "../client/retries.ts";
import { type HeaderMap, headerList } from "../http/headers.ts";
import { originOf, parseLocation, quoteLocation } from "../origin/origin.ts";

export interface PageRequest<T> {
  /** As in `RepositoryCall`. */
  readonly what: string;
  /** Path of the list below the repository, perhaps with a query. */
  readonly path: string;
  readonly accept?: string;
  /** Requested with `n`; 0 requests no size. */
  readonly pageSize: number;
  /** Entries of a page. @throws for a document that is no such list. */
  readonly read: (page: unknown, headers: HeaderMap) => readonly T[];
  /** Identifies an entry; also the value of `last`. */
  readonly keyOf: (entry: T) => string;
  /** Default: transient failures are retried as elsewhere. */
  readonly retrying?: RetryingOptions | undefined;
  /** Default false: transient failures are retried. */
  readonly isTriedOnce?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Pages<T> extends PageRequest<T> {
  readonly repository: Repository;
}

interface Page {
  readonly url: URL;
  readonly headers: HeaderMap;
  readonly document: unknown;
  readonly bytes: number;
}

const MAX_PAGES = 10_000;
/** Of all pages together. */
const MAX_ENTRIES = 1_000_000;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/**
 * Entries of a list that comes in pages (distribution specification, "Listing Tags"), each once, a page at a time.
 *
 * @throws RegistryError for a page that links to another origin or in a circle, for a list above 1,000,000 entries or 64 MiB,
 *   and for a page above 4 MiB.
 */
export async function* readPages<T>(repository: Repository, request: PageRequest<T>): AsyncGenerator<readonly T[]> {
  const { path, pageSize, keyOf } = request;
  const pages: Pages<T> = { ...request, repository };
  const visited = new Set<string>();
  const seen = new Set<string>();
  const first = withQuery(repository.urlOf(path), pageSize === 0 ? {} : { n: String(pageSize) });
  let page = await firstPage(pages, first);
  let bytes = 0;
  for (let count = 1; ; count += 1) {
    visited.add(page.url.href);
    const { document, headers } = page;
    const entries = await readingAnswer(() => request.read(document, headers), answerOf(pages, headers));
    const fresh = entries.filter(entry => !seen.has(keyOf(entry)));
    const keys = entries.map(keyOf);
    for (const key of keys) seen.add(key);
    // The address of a page is kept as well, and may be as long as a header.
    bytes += page.bytes + page.url.href.length;
    if (seen.size > MAX_ENTRIES) throw refused(pages, `more than ${MAX_ENTRIES} entries`, "fewer");
    if (bytes > MAX_LIST_BYTES) throw refused(pages, `more than ${MAX_LIST_BYTES} bytes`, "fewer");
    if (fresh.length > 0) yield unique(fresh, keyOf);
    const next = nextPageUrl(page.headers, page.url);
    // A server that supports neither `n` nor `last` sends the whole list again.
    if (next !== undefined && count > 1 && fresh.length === 0 && entries.length > 0) return;
    const last = keys.at(-1);
    // Nexus cuts a group's list without a Link. A page that is not full is the last one.
    const isCut = pageSize > 0 && entries.length >= pageSize && fresh.length > 0;
    if (next === undefined && !isCut) return;
    if (count >= MAX_PAGES) throw refused(pages, `more than ${MAX_PAGES} pages`, "fewer");
    const rest = last === undefined ? undefined : withQuery(first, { last });
    if (next !== undefined && visited.has(next.href)) throw refused(pages, "a link to an earlier page", "a new one");
    page = await followingPage(pages, next ?? rest, next === undefined ? undefined : rest);
  }
}

/**
 * The `rel="next"` target of the Link headers (RFC 8288), its query byte for byte; undefined when there is none.
 *
 * @throws RegistryError when it leaves the origin of the page (security case A-06).
 */
export function nextPageUrl(headers: HeaderMap, page: URL): URL | undefined {
  for (const header of headerList(headers, "link")) {
    for (const [, target = "", parameters = ""] of header.matchAll(/<([^<>]*)>([^<]*)/g)) {
      if (!/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i.test(parameters)) continue;
      const url = parseLocation(target, page, 200);
      if (originOf(url) === originOf(page)) return url;
      throw new RegistryError(
        `Cannot follow page link ${quoteLocation(target)} from ${page.host}: another origin, expected ${originOf(page)}`,
        { status: 200, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
      );
    }
  }
  return undefined;
}

/** Some servers refuse `n` as too large, or altogether. */
async function firstPage<T>(request: Pages<T>, url: URL): Promise<Page> {
  try {
    return await readPage(request, url);
  } catch (error) {
    if (request.pageSize === 0 || !isRefusal(error)) throw error;
    return await readPage(request, request.repository.urlOf(request.path));
  }
}

/** Artifactory and Nexus link to paths that they do not serve: then the list is continued from its last entry. */
async function followingPage<T>(request: Pages<T>, url: URL | undefined, otherwise?: URL): Promise<Page> {
  if (url === undefined) throw refused(request, "an empty page without a link", "entries");
  try {
    return await readPage(request, url);
  } catch (error) {
    if (otherwise === undefined || !(error instanceof NotFoundError || isRefusal(error))) throw error;
    return await readPage(request, otherwise);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 400;
}

async function readPage<T>(request: Pages<T>, url: URL): Promise<Page> {
  const { repository, what, signal } = request;
  const call: RepositoryCall = {
    verb: "read",
    what,
    method: "GET",
    url,
    headers: { accept: request.accept ?? "application/json" },
    accept: [200],
    signal,
  };
  const read = async (): Promise<Page> => {
    const response = await repository.open(call);
    const bytes = await repository.readBody(response, call, MAX_PAGE_BYTES);
    const document = await readingAnswer(
      () => parseJson(bytes, { what, where: `${repository}`, maxBytes: MAX_PAGE_BYTES }),
      answerOf(request, response.headers, bytes),
    );
    // The links of a page that came from another origin are never followed.
    const isHome = originOf(response.url) === originOf(repository.client.base);
    return { url, headers: isHome ? response.headers : {}, document, bytes: bytes.length };
  };
  return request.isTriedOnce === true ? await read() : await repository.retrying(what, signal, read, request.retrying);
}

function answerOf<T>({ repository, what }: Pages<T>, headers: HeaderMap, bytes?: Uint8Array): RegistryAnswer {
  return { headers, bytes, action: `read ${what} from ${repository}`, expected: "a list in JSON" };
}

function withQuery(url: URL, parameters: Readonly<Record<string, string>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
  return changed;
}

function unique<T>(entries: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  return [...new Map(entries.map(entry => [keyOf(entry), entry])).values()];
}

function refused<T>(request: Pages<T>, found: string, expected: string): RegistryError {
  return new RegistryError(
    `Cannot read ${request.what} from ${request.repository}: found ${found}, expected ${expected}`,
    { status: 200, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
  );
}
