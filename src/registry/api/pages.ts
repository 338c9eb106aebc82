import { IntegrityError, NotFoundError, RegistryError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { type HeaderMap, headerList, headerText } from "../http/headers.ts";
import { originOf, parseLocation, quoteLocation } from "../origin/origin.ts";

export interface PageRequest<T> {
  readonly client: RegistryClient;
  /** As in `Call`. */
  readonly what: string;
  readonly repository: string;
  /** Path of the list, perhaps with a query. */
  readonly path: string;
  readonly accept?: string;
  /** Asked for with `n`; 0 asks for no size. */
  readonly pageSize: number;
  /** Entries of a page. @throws when it is no such list. */
  readonly read: (page: unknown, headers: HeaderMap) => readonly T[];
  /** What tells entries apart, and stands behind `last`. */
  readonly keyOf: (entry: T) => string;
  /** Statuses that are not tried again, though they may pass elsewhere. */
  readonly lasting?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

interface Page {
  readonly url: URL;
  readonly headers: HeaderMap;
  readonly document: unknown;
}

const MAX_PAGES = 10_000;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/**
 * Entries of a list that comes in pages (distribution specification, "Listing Tags"), each once, a page at a time.
 *
 * @throws RegistryError for a page that links to another origin or in a circle, IntegrityError for one above 4 MiB.
 */
export async function* readPages<T>(request: PageRequest<T>): AsyncGenerator<readonly T[]> {
  const { client, path, pageSize, keyOf } = request;
  const visited = new Set<string>();
  const seen = new Set<string>();
  const first = withQuery(new URL(path, client.base), pageSize === 0 ? {} : { n: String(pageSize) });
  let page = await firstPage(request, first);
  for (let count = 1; ; count += 1) {
    visited.add(page.url.href);
    const entries = request.read(page.document, page.headers);
    const fresh = entries.filter(entry => !seen.has(keyOf(entry)));
    const keys = entries.map(keyOf);
    for (const key of keys) seen.add(key);
    if (fresh.length > 0) yield unique(fresh, keyOf);
    const next = nextPageUrl(page.headers, page.url);
    // A server that knows neither `n` nor `last` sends the whole list again.
    if (next !== undefined && count > 1 && fresh.length === 0 && entries.length > 0) return;
    const last = keys.at(-1);
    // Nexus cuts a group's list without a Link. A page that is not full is the last one.
    const isCut = pageSize > 0 && entries.length >= pageSize && fresh.length > 0;
    if (next === undefined && !isCut) return;
    if (count >= MAX_PAGES) throw refused(request, `more than ${MAX_PAGES} pages`, "fewer");
    const behind = last === undefined ? undefined : withQuery(first, { last });
    if (next !== undefined && visited.has(next.href)) throw refused(request, "a link to an earlier page", "a new one");
    page = await followingPage(request, next ?? behind, next === undefined ? undefined : behind);
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

function placeName<T>({ client, repository }: PageRequest<T>): string {
  return repository === "" ? client.registry : `${client.registry}/${repository}`;
}

/** Some servers refuse `n` as too large, or altogether. */
async function firstPage<T>(request: PageRequest<T>, url: URL): Promise<Page> {
  try {
    return await readPage(request, url);
  } catch (error) {
    if (request.pageSize === 0 || !isRefusal(error)) throw error;
    return await readPage(request, new URL(request.path, request.client.base));
  }
}

/** Artifactory and Nexus link to paths that they do not serve: then the list goes on from its last entry. */
async function followingPage<T>(request: PageRequest<T>, url: URL | undefined, otherwise?: URL): Promise<Page> {
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

async function readPage<T>(request: PageRequest<T>, url: URL): Promise<Page> {
  const { client, what, repository, signal } = request;
  return await client.retrying(what, signal, async () => {
    const response = await client.callOnce({
      verb: "read",
      what,
      repository,
      actions: "pull",
      method: "GET",
      url,
      headers: { accept: request.accept ?? "application/json" },
      accept: [200, ...(request.lasting ?? [])],
      signal,
    });
    if (response.status !== 200) {
      await response.body.dump();
      throw refused(request, `status ${response.status}`, "200", response.status);
    }
    const bytes = await readWhole(request, response.body);
    const document = parseJson(bytes, {
      what,
      where: placeName(request),
      maxBytes: MAX_PAGE_BYTES,
      fail: (_reason, message) => {
        const type = quote(headerText(response.headers, "content-type") ?? "none");
        return new RegistryError(message, { status: 200, hint: `The answer's content type is ${type}.` });
      },
    });
    // Links are relative to where the page came from, but never followed to where a redirect led.
    return { url, headers: originOf(response.url) === originOf(client.base) ? response.headers : {}, document };
  });
}

async function readWhole<T>(request: PageRequest<T>, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const { client, what, repository } = request;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      bytes += part.length;
      if (bytes > MAX_PAGE_BYTES) {
        throw new IntegrityError(
          `Cannot accept ${what} from ${placeName(request)}: more than ${MAX_PAGE_BYTES} bytes, expected at most 4 MiB a page`,
        );
      }
      parts.push(part);
    }
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw client.failure(cause, "read", what, repository);
  }
  return Buffer.concat(parts, bytes);
}

function withQuery(url: URL, parameters: Readonly<Record<string, string>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
  return changed;
}

function unique<T>(entries: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  return [...new Map(entries.map(entry => [keyOf(entry), entry])).values()];
}

function refused<T>(request: PageRequest<T>, found: string, expected: string, status = 200): RegistryError {
  return new RegistryError(
    `Cannot read ${request.what} from ${placeName(request)}: found ${found}, expected ${expected}`,
    { status, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
  );
}
