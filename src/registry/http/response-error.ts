import { AuthError, type ImgpackError, NotFoundError, RegistryError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readErrorBody } from "./error-body.ts";
import { type HeaderMap, headerText } from "./headers.ts";
import { subject } from "./network-error.ts";
import type { RetryHint } from "./retry.ts";
import { isWebPage } from "./web-page.ts";

export interface ResponseContext {
  /** As in messages: "push", "pull", "read". */
  readonly verb: string;
  /** Subject of the message, for example `manifest latest`; may be empty. */
  readonly what: string;
  /** Registry with repository: `registry.lan/team/app`. */
  readonly where: string;
  /** The expected status, for example "201". */
  readonly expected: string;
  readonly status: number;
  readonly headers: HeaderMap;
  /** The body, or its first part; only the first 64 KiB count. */
  readonly body: Uint8Array;
  /** Where the credentials were found, for example a file name. */
  readonly credentialsFrom?: string | undefined;
  readonly user?: string | undefined;
  /** Command that stores credentials for the registry. Default: `imgpack login`. */
  readonly login?: string | undefined;
  /** Milliseconds since the epoch, for a Retry-After date. */
  readonly now?: number;
}

const MAX_RETRY_AFTER_MS = 5 * 60_000;
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 499]);
/** Not implemented, HTTP version not supported: a retry does not help. */
const LASTING_5XX: ReadonlySet<number> = new Set([501, 505]);
const NOT_FOUND_CODES: ReadonlySet<string> = new Set(["NAME_UNKNOWN", "MANIFEST_UNKNOWN"]);

/**
 * An error answer as the error that callers act on: 401 and 403 → AuthError, 404 → NotFoundError (for a push only when
 * the registry says that the repository or manifest is unknown, since a lost upload session is a 404 too), the rest →
 * RegistryError; 408, 425, 429 and 5xx are transient and carry `retryAfterMs` when the answer names a time.
 */
export function responseError(context: ResponseContext): ImgpackError {
  const { verb, what, where, expected, status, headers, user } = context;
  const { codes, summary } = readErrorBody(headers, context.body);
  const state = [`status ${status}`, ...(status === 401 && user ? [`for user ${quote(user)}`] : []), ...summary].join(
    " ",
  );
  const message = `Cannot ${subject(verb, what, where)}: ${state}, expected ${expected}`;
  if (status === 401 || status === 403) return new AuthError(message, { hint: authHint(context) });
  const isTransient = TRANSIENT_STATUS.has(status) || (status >= 500 && !LASTING_5XX.has(status));
  const hint = hintFor(context, codes);
  if (status === 404 && (verb !== "push" || codes.some(code => NOT_FOUND_CODES.has(code)))) {
    const missing = new NotFoundError(message, { hint });
    if (codes.length > 0) withCodes.add(missing);
    return missing;
  }
  const error = new RegistryError(message, { status, codes, hint, transient: isTransient });
  const waitMs = isTransient ? retryAfterMs(headers, context.now ?? Date.now()) : undefined;
  return waitMs === undefined ? error : Object.assign(error, { retryAfterMs: waitMs } satisfies RetryHint);
}

/**
 * `Retry-After` in milliseconds from `now`: seconds or an HTTP date (RFC 9110, section 10.2.3), at most five minutes;
 * undefined when absent or malformed.
 */
export function retryAfterMs(headers: HeaderMap, now: number): number | undefined {
  const text = headerText(headers, "retry-after")?.trim();
  if (text === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  // Date.parse alone accepts almost anything, even a bare year.
  if (!/^[A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} GMT$/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.min(Math.max(date - now, 0), MAX_RETRY_AFTER_MS);
}

/** The source of a pair from flags, or of `login`. */
const GIVEN_CREDENTIALS = "--username";

function authHint({ where, status, credentialsFrom, login }: ResponseContext): string {
  const registry = where.split("/", 1)[0] ?? where;
  const advice = `pass --username and --password-stdin, or run "${login ?? `imgpack login ${registry}`}"`;
  if (credentialsFrom === undefined) return `No credentials were found for ${registry}: ${advice}.`;
  if (status === 403) return `Credentials came from ${credentialsFrom}; this user may lack the right to do this.`;
  if (credentialsFrom === GIVEN_CREDENTIALS) {
    return "Check the user name and the password that you gave; some registries want an access token as the password.";
  }
  return `Credentials came from ${credentialsFrom}; if they are not the right ones, ${advice}.`;
}

/** @param where `registry/repository` @returns undefined if `where` is a registry alone. */
function noRepositoryHint(where: string): string | undefined {
  const slash = where.indexOf("/");
  if (slash < 0) return undefined;
  return `${where.slice(0, slash)} has no repository ${quote(where.slice(slash + 1))}: check its name.`;
}

const WEB_PAGE_HINT = "A proxy or another server sent this web page: check host and port.";

const withCodes = new WeakSet<NotFoundError>();

/** Whether a 404 had an error code of the distribution specification, as v2 registries send it. */
export function hasErrorCode(error: NotFoundError): boolean {
  return withCodes.has(error);
}

/** Whether an error answer was a web page. */
export function isWebPageRefusal({ hint }: ImgpackError): boolean {
  return hint === WEB_PAGE_HINT;
}

/** Go, nginx and Apache answer so to plain HTTP on a port with TLS. */
const TLS_PORT = /HTTP request (?:was sent )?to (?:an )?HTTPS|plain HTTP to an SSL-enabled/i;

function hintFor(
  { status, verb, where, headers, body }: ResponseContext,
  codes: readonly string[],
): string | undefined {
  if (status === 400 && TLS_PORT.test(Buffer.from(body.subarray(0, 4096)).toString("latin1"))) {
    return "This port speaks TLS, and the request was plain HTTP: leave out --plain-http, and for a loopback address choose TLS with --ca-file or --insecure.";
  }
  if (codes.includes("NAME_UNKNOWN")) {
    if (verb === "push") return "This registry does not create repositories on push: create it first.";
    if (status === 404) return noRepositoryHint(where);
  }
  if (status === 429) return "The registry limits requests: wait, or use an account with a higher limit.";
  if (status === 507) return "The registry has no space left: free some there, then run the same command again.";
  if (status === 413) return "A proxy in front of the registry may limit the size of a request.";
  if (isWebPage(headers, body)) return WEB_PAGE_HINT;
  return undefined;
}
