import type { Digest } from "../../oci/digest.ts";
import { hooked } from "../../util/operation-hook.ts";
import type { Repository } from "../client/repository.ts";
import { USER_AGENT } from "../http/headers.ts";
import type { Transport } from "../http/transport.ts";
import { originOf } from "../origin/origin.ts";
import { crossOriginHeaders, followRedirect } from "../origin/redirect-policy.ts";
import { BulkConnection, type TakeBytes } from "./bulk-connection.ts";
import { ifUnchanged, noteValidator, type Validator } from "./entity-tag.ts";
import type { ResponseHead } from "./response-head.ts";

export interface BulkRequest {
  readonly repository: Repository;
  readonly digest: Digest;
  /** First byte wanted, counted from the start of the blob. */
  readonly start: number;
  /** Bytes of the whole blob. */
  readonly size: number;
  /** Learnt from the first answer. */
  readonly known: Validator;
  readonly signal?: AbortSignal | undefined;
}

interface Hop {
  readonly url: URL;
  readonly atHome: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Downloads of big blobs over connections of their own. Never shared across origins (security case A-09). */
export class BulkDownloads {
  readonly #idle = new Map<string, BulkConnection[]>();

  /**
   * Sends the bytes from `start` on to `take`.
   *
   * @returns false when the answer is not a plain body of the right length; nothing was taken then, and the ordinary
   *   client may ask again.
   * @throws NetworkError (transient) when the body breaks off.
   */
  async download(request: BulkRequest, take: TakeBytes): Promise<boolean> {
    const { repository, digest, signal } = request;
    const { client } = repository;
    const { transport } = client;
    if (request.start > 0 && request.known.refusesRanges === true) return false;
    await client.gate.pass(signal);
    const seen = new Set<string>();
    let url = repository.urlOf(`blobs/${digest}`);
    let atHome = true;
    for (let hop = 1; ; hop += 1) {
      if (!(await transport.isDirect(url))) return false;
      const authorization = atHome ? await client.authorization(repository.scope, signal) : undefined;
      const headers = { ...plainHeaders(request), ...(authorization === undefined ? {} : { authorization }) };
      const kept = atHome ? headers : crossOriginHeaders(headers);
      const head = await this.#get({ url, atHome, headers: { host: url.host, ...kept } }, request, take);
      if (isWanted(head, request)) return true;
      const location = head.headers.get("location");
      if (head.status < 300 || head.status > 399 || location?.[0] === undefined || location.length !== 1) return false;
      const fromIsPrivate = transport.isInside(url);
      const redirect = followRedirect(url, location[0], hop, seen, { status: head.status, fromIsPrivate });
      url = redirect.url;
      atHome &&= redirect.sameOrigin;
    }
  }

  close(): void {
    for (const connections of this.#idle.values()) for (const connection of connections) connection.destroy();
    this.#idle.clear();
  }

  async #get(hop: Hop, request: BulkRequest, take: TakeBytes): Promise<ResponseHead> {
    const { repository, digest, signal } = request;
    const { transport } = repository.client;
    const { url, headers } = hop;
    signal?.throwIfAborted();
    const { connection, isFresh } = this.#take(hop, transport);
    const onAbort = (): void => connection.destroy(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    let isAnswered = false;
    const accept = (head: ResponseHead): boolean => {
      isAnswered = true;
      if (head.status < 300) noteValidator(request.known, head.headers.get("etag")?.join());
      return isWanted(head, request);
    };
    try {
      transport.requests += 1;
      const target = `${url.pathname}${url.search}`;
      const head = await hooked({ kind: "request", place: `GET ${url.pathname}` }, async () =>
        connection.get(target, headers, accept, paced(take, request)),
      );
      if (connection.usable) this.#giveBack(hop, connection);
      return head;
    } catch (error) {
      signal?.throwIfAborted();
      // The server may have closed an idle connection just now: that says nothing about the next one.
      if (!isFresh && !isAnswered) return await this.#get(hop, request, take);
      throw repository.failure(error, `blob ${digest}`, "pull", url);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #take(hop: Hop, transport: Transport): { readonly connection: BulkConnection; readonly isFresh: boolean } {
    const idle = this.#idle.get(poolOf(hop)) ?? [];
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.usable) return { connection, isFresh: false };
    }
    const options = hop.atHome ? transport.options : {};
    return {
      connection: new BulkConnection(hop.url, options, transport.lookup, transport.options.idleMs),
      isFresh: true,
    };
  }

  #giveBack(hop: Hop, connection: BulkConnection): void {
    const pool = poolOf(hop);
    const idle = this.#idle.get(pool);
    if (idle === undefined) this.#idle.set(pool, [connection]);
    else idle.push(connection);
  }
}

/** Takes bytes when the run's rate allows it. */
function paced(take: TakeBytes, { repository, signal }: BulkRequest): TakeBytes {
  const { rate } = repository.client.transport.options;
  if (rate === undefined) return take;
  return part => {
    const pause = rate.take(part.length, signal);
    return pause === undefined ? take(part) : pause.then(() => take(part));
  };
}

/** One registry's TLS choices must not serve another that redirects there (security case A-19). */
function poolOf({ url, atHome }: Hop): string {
  return `${originOf(url)} ${atHome ? "home" : "foreign"}`;
}

function plainHeaders({ start, known }: BulkRequest): Record<string, string> {
  return {
    "user-agent": USER_AGENT,
    accept: "*/*",
    "accept-encoding": "identity",
    ...(start > 0 ? { range: `bytes=${start}-`, ...ifUnchanged(known) } : {}),
  };
}

function isWanted(head: ResponseHead, { start, size }: BulkRequest): boolean {
  if (head.contentLength !== size - start) return false;
  if (start === 0) return head.status === 200;
  return head.status === 206 && head.headers.get("content-range")?.join() === `bytes ${start}-${size - 1}/${size}`;
}
