import { AuthError, type ImgpackError, NetworkError, RegistryError } from "../../errors.ts";
import { throwCallerError } from "../../util/caller-error.ts";
import type { Scope } from "../auth/authenticator.ts";
import { maxAnswers, parseChallenges } from "../auth/challenge.ts";
import { blame } from "../http/blamed-host.ts";
import { headerList, USER_AGENT } from "../http/headers.ts";
import { isConnectFault, isUnknownHost, networkError, typedCause } from "../http/network-error.ts";
import { readBody } from "../http/read-body.ts";
import { type ResponseContext, responseError } from "../http/response-error.ts";
import { trustSystem } from "../http/tls-options.ts";
import { originOf } from "../origin/origin.ts";
import type { BulkRequest } from "../transport/bulk-connections.ts";
import type { ByteTaker } from "../transport/byte-taker.ts";
import type { ResponseHead } from "../transport/response-head.ts";
import type { Transport, TransportResponse } from "../transport/transport.ts";
import { type Call, scopeOf } from "./call.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import { type Answer, type Followed, followRedirects, type Hop } from "./follow-redirects.ts";
import type { Authorizer, Identity, Shared } from "./identity.ts";
import { Retries, type RetryingOptions } from "./retries.ts";
import { sharedBy } from "./shared.ts";

export type { Call } from "./call.ts";
export type { RegistryClientOptions } from "./client-options.ts";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** The status has come; the rest only explains it. */
const ERROR_BODY_MS = 10_000;

/** Sends calls to one registry: authentication, redirects of reads, retries of transient failures, typed errors. */
export class RegistryClient {
  readonly registry: string;
  readonly base: URL;
  readonly transport: Transport;
  readonly #options: RegistryClientOptions;
  readonly #authenticator: Authorizer;
  readonly #shared: Shared;
  readonly #retries: Retries;

  constructor(options: RegistryClientOptions, shared: Shared = sharedBy(options)) {
    this.#options = options;
    this.registry = options.registry;
    this.base = options.base;
    this.transport = options.transport;
    this.#authenticator = options.authenticator;
    this.#shared = shared;
    this.#retries = new Retries(options, shared);
  }

  /** A client of another origin, or with other credentials, over the same connections and below the same limits. */
  as(identity: Identity): RegistryClient {
    return new RegistryClient({ ...this.#options, ...identity }, this.#shared);
  }

  /** Sends a request whose answer has no interesting body, and retries transient failures. */
  async call(call: Call): Promise<TransportResponse> {
    return await this.retrying(call.what, call.signal, async () => {
      const response = await this.open(call);
      await response.body.dump();
      return response;
    });
  }

  /** Repeats `task` while it fails for transient reasons, and reports each retry. @param what as in messages. */
  async retrying<T>(
    what: string,
    signal: AbortSignal | undefined,
    task: (attempt: number) => Promise<T>,
    options?: RetryingOptions,
  ): Promise<T> {
    return await this.#retries.run(what, signal, task, options);
  }

  /** The Authorization value for a request to the registry's own origin, as far as one is known yet. */
  async authorization(scope: Scope, signal?: AbortSignal): Promise<string | undefined> {
    return await this.#authenticator.authorization(scope, signal);
  }

  /** True when a token server has granted the scope: a 401 then says nothing about the credentials. */
  async holdsToken(scope: Scope, signal?: AbortSignal): Promise<boolean> {
    return (await this.authorization(scope, signal))?.startsWith("Bearer ") === true;
  }

  /**
   * Sends a request once. The body of the answer must be read or dumped.
   *
   * @throws ImgpackError for every status that `accept` does not list.
   */
  async open(call: Call): Promise<TransportResponse> {
    const scope = scopeOf(call);
    await this.#pass(call.signal);
    for (let answered = 0; ; answered += 1) {
      const { answer, isHome, authorization } = await this.#follow(call, scope, async ({ url, headers }) => {
        const { method, body, signal } = call;
        const send = async () => {
          const request = { method, url, headers, signal };
          return await this.#shared.crowd.sending(url, () => this.transport.send({ ...request, body: body?.() }));
        };
        // Blobs that are sent have events of their own.
        const response = await (body === undefined ? this.#answer(call, send) : send());
        return { ...response, dump: async () => await response.body.dump() };
      });
      if (call.accept.includes(answer.status)) return answer;
      const error = await this.#error(call, answer);
      if (answer.status !== 401 || !isHome) throw error;
      const challenges = parseChallenges(headerList(answer.headers, "www-authenticate"));
      if (answered >= maxAnswers(challenges)) throw error;
      if (!(await this.#authenticator.answer(challenges, scope, authorization, call.signal))) throw error;
    }
  }

  /**
   * Downloads a big body over a connection of its own, with the same redirects and authorization as `open`.
   *
   * @param accept called with the head; false leaves the body untaken.
   * @returns false when nothing was taken: `open` may then ask for the same and handle the answer.
   */
  async download(call: Call, accept: BulkRequest["accept"], taker: ByteTaker): Promise<boolean> {
    await this.#pass(call.signal);
    let isTaken = false;
    await this.#follow(call, scopeOf(call), async ({ url, headers }) => {
      const head = await this.#shared.crowd.sending(url, async noteAnswer => {
        const noteHead = (found: ResponseHead): boolean => {
          noteAnswer();
          isTaken = accept(found);
          return isTaken;
        };
        return await this.transport.download({ url, headers, taker, signal: call.signal, accept: noteHead });
      });
      return head === undefined ? undefined : { status: head.status, headers: Object.fromEntries(head.headers) };
    });
    return isTaken;
  }

  /** Sends a request below the limit of all that wait for an answer: it waits for nothing else while it is one of them. */
  async #answer<T>({ what, signal }: Call, send: () => Promise<T>): Promise<T> {
    const { waits, requests } = this.#shared;
    const answer = async (): Promise<T> => await waits.answer(what, send);
    return await (requests === undefined ? answer() : requests.run(answer, signal));
  }

  /** Waits while the registry takes no requests. */
  async #pass(signal: AbortSignal | undefined): Promise<void> {
    // What nothing holds back is sent in the order of the calls, without a turn of the event loop in between.
    if (this.#shared.outages.isWaited) await this.#shared.outages.pass(signal);
    await this.#shared.waits.pass(signal);
  }

  /** Sends each hop, and names the failures of the connection. */
  async #follow<A extends Answer | undefined>(
    call: Call,
    scope: Scope,
    send: (hop: Hop) => Promise<A>,
  ): Promise<Followed<A>> {
    const { method, headers, body, signal } = call;
    const { cookies, quota, userAgent = USER_AGENT } = this.#options;
    return await followRedirects<A>(call.url instanceof URL ? call.url : new URL(call.url, this.base), {
      home: this.base,
      isForeign: call.isForeign === true,
      isRead: method === "GET" || method === "HEAD",
      headers: { "user-agent": userAgent, ...headers },
      hasBody: body !== undefined,
      authorize: async () => await this.#authenticator.authorization(scope, signal),
      cookies: () => cookies?.header,
      onRedirect: call.onRedirect,
      isInside: url => this.transport.isInside(url),
      send: async hop => {
        try {
          const answer = await send(hop);
          if (answer !== undefined) {
            this.#shared.outages.lost.noteAnswer(hop.url, answer.status);
            if (originOf(hop.url) === originOf(this.base)) {
              quota?.see(answer.status, answer.headers);
              cookies?.take(answer.headers);
            }
          }
          return answer;
        } catch (cause) {
          signal?.throwIfAborted();
          throw this.failure(cause, call.verb, call.what, call.repository, hop.url, call.isForeign);
        }
      },
    });
  }

  /**
   * A failure below HTTP as a typed error. Errors that are typed already (a body that failed its check) stay as they are.
   *
   * @throws an error of the caller's own callback, unchanged.
   * @param url of the failed request; a redirect may have led away from the registry.
   */
  failure(
    cause: unknown,
    verb: string,
    what: string,
    repository: string,
    url: URL = this.base,
    isForeign = false,
  ): ImgpackError {
    throwCallerError(cause);
    const typed = typedCause(cause);
    if (typed !== undefined) return typed;
    const where = isForeign ? url.host : this.#where(repository, url);
    const error = networkError(cause, verb, what, where);
    // A host that no connection has ever reached is more likely mistyped or switched off than restarting.
    const isWorthRetry = this.#shared.outages.hasAnswered(url)
      ? error.transient || isUnknownHost(cause)
      : error.transient && !isConnectFault(cause);
    // A redirect may be the first to need the system's certificates, which the next attempt has.
    const transient = trustSystem(cause) || isWorthRetry;
    return blame(new NetworkError(error.message, { hint: error.hint, cause, transient }), url);
  }

  #where(repository: string, url: URL): string {
    const name = repository === "" ? this.registry : `${this.registry}/${repository}`;
    return originOf(url) === originOf(this.base) ? name : `${name}, redirected to ${url.host}`;
  }

  async #error(call: Call, response: TransportResponse): Promise<ImgpackError> {
    const isElsewhere = call.isForeign === true || originOf(response.url) !== originOf(this.base);
    const credentials = isElsewhere
      ? undefined
      : await this.#authenticator.credentialsFor(call.repository, call.signal);
    // A body that breaks off must not hide the status.
    const body = await readBody(response.body, MAX_ERROR_BODY_BYTES, ERROR_BODY_MS);
    const context: ResponseContext = {
      verb: call.verb,
      what: call.what,
      where: call.isForeign ? response.url.host : this.#where(call.repository, response.url),
      // A redirect that the caller follows itself is not what it is after.
      expected: call.accept.filter(status => !REDIRECTS.has(status)).join(" or "),
      status: response.status,
      headers: response.headers,
      body: body.bytes,
      credentialsFrom: credentials?.source,
      user: credentials?.username,
    };
    const found = (isElsewhere ? undefined : call.explain?.(context)) ?? responseError(context);
    const error = blame(found, response.url);
    if (!isElsewhere || !(error instanceof AuthError)) return error;
    // The request carried no credentials, so they are not what was refused (security case A-10).
    return new RegistryError(error.message, {
      status: response.status,
      hint: call.isForeign
        ? "No credentials are sent to a URL that an image names."
        : `${this.registry} redirected to ${response.url.host}, which refused: check that registry's storage settings.`,
    });
  }
}
