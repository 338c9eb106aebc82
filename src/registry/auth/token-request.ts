import { AuthError, ImgpackError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { checkSchema, fields, nullish, number, string } from "../../util/json/schema.ts";
import { deadlineSignal } from "../../util/time/deadline.ts";
import type { Credentials } from "../credentials/find-credentials.ts";
import { basicAuthorization } from "../http/basic-authorization.ts";
import { blame } from "../http/blamed-host.ts";
import { type HeaderMap, headerText, USER_AGENT } from "../http/headers.ts";
import { networkError } from "../http/network-error.ts";
import { readBody } from "../http/read-body.ts";
import { responseError } from "../http/response-error.ts";
import { followRedirect } from "../origin/redirect-policy.ts";
import type { Transport } from "../transport/transport.ts";

export interface TokenHttpRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface TokenHttpResponse {
  readonly status: number;
  readonly headers: HeaderMap;
  /** Refused above 1 MiB, so at most one byte more is read. */
  readonly body: Uint8Array;
}

/** Sends one request without following redirects. */
export type FetchToken = (request: TokenHttpRequest) => Promise<TokenHttpResponse>;

export interface TokenQuestion {
  /** Checked by `checkRealm`. */
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** Registry host, for messages. */
  readonly registry: string;
  readonly credentials: Credentials | undefined;
}

export interface Token {
  readonly value: string;
  readonly lifeMs: number;
}

const MAX_TOKEN_REPLY_BYTES = 1024 * 1024;
const MAX_TOKEN_LENGTH = 64 * 1024;
const CLIENT_ID = "imgpack";
/** Default of the distribution token specification. Shorter lifetimes are not taken literally. */
const MIN_LIFE_SECONDS = 60;
const MAX_LIFE_SECONDS = 24 * 60 * 60;
const TIMEOUT_MS = 30_000;
const REPLY = fields({ token: nullish(string()), access_token: nullish(string()), expires_in: nullish(number()) });

/** Sends token requests over the connections of a registry's transport. */
export function tokenFetcher(transport: Transport): FetchToken {
  return async ({ method, url, headers, body, signal }) => {
    const response = await transport.send({
      method,
      url,
      headers: { "user-agent": USER_AGENT, ...headers },
      body: body === undefined ? undefined : Buffer.from(body),
      signal,
    });
    const { bytes, failure } = await readBody(response.body, MAX_TOKEN_REPLY_BYTES + 1);
    if (failure !== undefined) throw failure.cause;
    return { status: response.status, headers: response.headers, body: bytes };
  };
}

/**
 * Requests an access token: with an identity token by POST (OAuth 2 refresh grant), else by GET with Basic credentials or
 * anonymously (distribution specs "token" and "oauth").
 *
 * @throws AuthError when the token server refuses; RegistryError and NetworkError as for any other request.
 */
export async function requestToken(
  question: TokenQuestion,
  fetchToken: FetchToken,
  signal: AbortSignal,
): Promise<Token> {
  using limit = deadlineSignal(TIMEOUT_MS, signal);
  const deadline = limit.signal;
  const identityToken = question.credentials?.identityToken;
  try {
    if (identityToken !== undefined) {
      const reply = await fetchToken({ ...refreshGrant(question, identityToken), signal: deadline });
      // Servers without OAuth 2 support only GET, which needs a password. Most identity tokens come without one.
      const isUnsupported = reply.status === 404 || reply.status === 405;
      if (!isUnsupported || question.credentials?.password === "") return readToken(question, reply);
    }
    return readToken(question, await getFollowing(question, fetchToken, deadline));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof ImgpackError
      ? error
      : blame(networkError(error, "read", "token", question.realm.host), question.realm);
  }
}

function refreshGrant(question: TokenQuestion, identityToken: string): TokenHttpRequest {
  const { realm, service, scopes } = question;
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    ...(service === undefined ? {} : { service }),
    client_id: CLIENT_ID,
    scope: scopes.join(" "),
    refresh_token: identityToken,
  });
  const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
  return { url: realm, method: "POST", headers, body: form.toString() };
}

async function getFollowing(
  question: TokenQuestion,
  fetchToken: FetchToken,
  signal: AbortSignal,
): Promise<TokenHttpResponse> {
  const { credentials } = question;
  const headers = {
    accept: "application/json",
    ...(credentials?.password ? { authorization: basicAuthorization(credentials) } : {}),
  };
  const seen = new Set<string>();
  let url = tokenUrl(question);
  for (let hop = 1; ; hop += 1) {
    const reply = await fetchToken({ url, method: "GET", headers, signal });
    const location = headerText(reply.headers, "location");
    if (reply.status < 300 || reply.status >= 400 || location === undefined) return reply;
    const next = followRedirect(url, location, hop, seen, { status: reply.status });
    if (!next.sameOrigin) {
      throw new AuthError(
        `Cannot log in to ${question.registry}: token server ${url.host} redirects to ${next.url.host}, expected a token`,
        { hint: "Credentials are never sent to another host, scheme or port." },
      );
    }
    url = next.url;
  }
}

/** The query of the realm is kept, with one more `scope` parameter per scope. */
function tokenUrl({ realm, service, scopes, credentials }: TokenQuestion): URL {
  const parameters: (readonly [string, string])[] = [
    ...(service === undefined ? [] : [["service", service] as const]),
    ...scopes.map(scope => ["scope", scope] as const),
    ...(credentials?.username ? [["account", credentials.username] as const] : []),
  ];
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  const url = new URL(realm);
  url.search = url.search === "" ? query : `${url.search}&${query}`;
  return url;
}

function readToken(question: TokenQuestion, { status, headers, body }: TokenHttpResponse): Token {
  const { realm, registry, credentials } = question;
  if (status !== 200) {
    const error = responseError({
      verb: "log in",
      what: "",
      where: registry,
      expected: `a token from ${realm.host}`,
      status,
      headers,
      body,
      credentialsFrom: credentials?.source,
      user: credentials?.username,
    });
    // OAuth 2 servers refuse with 400 "invalid_grant", others with 404. All of them mean "no access".
    throw error.transient ? blame(error, realm) : new AuthError(error.message, { hint: error.hint });
  }
  const fail = (_reason: string, message: string): Error => new AuthError(message);
  const options = { what: "token", where: realm.host, maxBytes: MAX_TOKEN_REPLY_BYTES, fail };
  const reply = checkSchema(REPLY, parseJson(body, options), options.what, options.where, fail);
  const value = reply.token || reply.access_token || "";
  // The token is copied into a header (security case A-14).
  if (value.length > MAX_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(value)) {
    throw new AuthError(`Cannot log in to ${registry}: no usable token in the answer of ${realm.host}, expected one`);
  }
  const seconds = Number.isFinite(reply.expires_in) ? Number(reply.expires_in) : MIN_LIFE_SECONDS;
  return { value, lifeMs: Math.min(Math.max(seconds, MIN_LIFE_SECONDS), MAX_LIFE_SECONDS) * 1000 };
}
