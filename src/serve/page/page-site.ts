import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { quote } from "../../util/format.ts";
import { VERSION } from "../../util/version.ts";
import type { ServedRegistry } from "../content/served-registry.ts";
import { Refusal } from "../refusal.ts";
import { CatalogueCache } from "./model/catalogue-cache.ts";
import { LayerListings } from "./model/layer/layer-listings.ts";
import { acceptsGzip, namesTag, wantsHtml } from "./negotiation.ts";
import { PAGE_HEADERS, pagePolicy } from "./page-headers.ts";
import { type PagePath, pageHandler, pagePath } from "./page-routes.ts";
import { type Frame, framed } from "./views/frame.ts";
import type { FileResult, PageResult } from "./views/page-result.ts";
import { problemPage } from "./views/problem.ts";

const compress = promisify(gzip);

/** How pages are served. */
export interface PageSiteOptions {
  readonly isReadOnly: boolean;
  readonly isTls: boolean;
  /** Only for those who log in: shared caches must not keep it. */
  readonly isPrivate: boolean;
  /** Name of the folder of a store, without its path. */
  readonly store: string | undefined;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What of a request a page needs. */
export type PageHead = Pick<IncomingMessage, "method" | "url" | "headers">;

/** In which form something is answered. */
interface Form {
  readonly host: string;
  readonly isHtml: boolean;
  readonly isGzip: boolean;
}

const DEAD_HEADERS: Readonly<Record<string, string>> = { ...PAGE_HEADERS, "cache-control": "no-store" };

/** The pages for people, and the same facts as JSON for programs, from what a server serves. */
export class PageSite {
  readonly #registry: ServedRegistry;
  readonly #options: PageSiteOptions;
  readonly #cache: CatalogueCache;
  readonly #layers: LayerListings;
  /** Generations begin at 0 with each start of a server. */
  readonly #start = randomUUID();

  constructor(registry: ServedRegistry, options: PageSiteOptions) {
    this.#registry = registry.inventory;
    this.#options = options;
    this.#cache = new CatalogueCache(registry.inventory);
    this.#layers = new LayerListings(registry.inventory);
  }

  /**
   * Answers a request for anything outside of `/v2/`.
   *
   * @param host `host:port` that may be shown to this client
   * @throws Refusal for a program, or an error of the registry; a person gets a page for a Refusal.
   */
  async answer(request: PageHead, host: string, signal: AbortSignal): Promise<PageAnswer> {
    const form = {
      host,
      isHtml: wantsHtml(request.headers.accept),
      isGzip: acceptsGzip(request.headers["accept-encoding"]?.toString()),
    };
    try {
      return await this.#answer(request, form, signal);
    } catch (error) {
      if (!(error instanceof Refusal) || !form.isHtml) throw error;
      const head = { status: error.status, headers: { ...DEAD_HEADERS, ...error.headers } };
      return await this.#send(problemPage(error), form, head, signal);
    }
  }

  async #answer({ method = "", url = "", headers }: PageHead, form: Form, signal: AbortSignal): Promise<PageAnswer> {
    const path = pagePath(url);
    if (method !== "GET" && method !== "HEAD") {
      throw new Refusal(405, "UNSUPPORTED", `method ${quote(method)} has no meaning here, expected GET or HEAD`, {
        headers: { allow: "GET, HEAD" },
      });
    }
    const { isReadOnly, isTls, isPrivate, store } = this.#options;
    if (path.name === "favicon.ico")
      return { status: 204, headers: { ...PAGE_HEADERS, "cache-control": "max-age=86400" } };
    const tag = this.#tag(path, form);
    const kept = { ...PAGE_HEADERS, "cache-control": isPrivate ? "private, no-cache" : "no-cache", etag: tag };
    if (namesTag(headers["if-none-match"], tag)) return { status: 304, headers: kept };
    const result = await pageHandler(path.name)({
      registry: this.#registry,
      catalogue: async () => await this.#cache.get(signal),
      layers: this.#layers,
      rest: path.rest,
      query: path.query,
      host: form.host,
      isTls,
      isPrivate,
      isReadOnly,
      store,
      signal,
    });
    const { status = 200, isKept = status === 200 } = "body" in result ? {} : result;
    return await this.#send(result, form, { status, headers: isKept ? kept : DEAD_HEADERS }, signal);
  }

  async #send(
    result: PageResult | FileResult,
    { host, isHtml, isGzip }: Form,
    { status, headers }: Pick<PageAnswer, "status" | "headers">,
    signal: AbortSignal,
  ): Promise<PageAnswer> {
    if ("body" in result)
      return await packed(result.body, status, result.contentType, { ...headers, ...result.headers }, isGzip);
    const { page, data } = result;
    if (page === undefined || !isHtml) {
      const body = Buffer.from(JSON.stringify(data()));
      return await packed(body, status, "application/json", headers, isGzip);
    }
    const content = page();
    const { ownStyle } = content;
    const policy = ownStyle === undefined ? {} : { "content-security-policy": pagePolicy(ownStyle) };
    const body = Buffer.from(framed(content, await this.#frame(host, signal)).toString());
    return await packed(body, status, "text/html; charset=utf-8", { ...headers, ...policy }, isGzip);
  }

  async #frame(host: string, signal: AbortSignal): Promise<Frame> {
    const { isReadOnly } = this.#options;
    try {
      const { totals, id } = await this.#cache.get(signal);
      return { host, isReadOnly, bundleId: id, brokenImages: totals.broken };
    } catch {
      // What is wrong is said in the frame, too.
      signal.throwIfAborted();
      return { host, isReadOnly, bundleId: undefined, brokenImages: 0 };
    }
  }

  /** Changes with all that a page is made from, and with the form in which it is sent (RFC 9110 section 8.8.3.3). */
  #tag({ name, rest, query }: PagePath, { host, isHtml, isGzip }: Form): string {
    const { bundle, generation } = this.#registry;
    const form = [isHtml, isGzip, host, name, rest, query.toString()];
    const hash = createHash("sha256").update(JSON.stringify([this.#start, VERSION, bundle?.id, ...form]));
    return `"${generation}-${hash.digest("hex").slice(0, 32)}"`;
  }
}

async function packed(
  body: Uint8Array,
  status: number,
  contentType: string,
  headers: Readonly<Record<string, string>>,
  isGzip: boolean,
): Promise<PageAnswer> {
  const typed = { ...headers, "content-type": contentType };
  if (!isGzip) return { status, headers: typed, body };
  return { status, headers: { ...typed, "content-encoding": "gzip" }, body: await compress(body) };
}
