import { type ImgpackError, NetworkError, RegistryError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { errorCode } from "../../util/error-code.ts";
import { MAX_DOCUMENT_MINUTES } from "./read-body.ts";

interface Fault {
  readonly found: string;
  readonly transient: boolean;
  readonly hint?: string;
  readonly expected?: string;
}

const CHECK_ADDRESS = "Check the registry's host name and port.";
const CHECK_NETWORK = "Check the network, the proxy settings and whether the registry is running.";

/** RFC 8446, section 6.2, certificate_required. */
const NO_CLIENT_CERTIFICATE: Fault = {
  found: "no client certificate was shown",
  expected: "one that the registry trusts",
  transient: false,
  hint: "Name it with --cert-file and --key-file, or put it into the registry's folder in certs.d.",
};

const FAULTS: Readonly<Record<string, Fault>> = {
  ECONNREFUSED: { found: "connection refused", transient: true, hint: CHECK_ADDRESS },
  ENOTFOUND: { found: "unknown host name", transient: false, hint: CHECK_ADDRESS },
  EAI_AGAIN: { found: "no answer from the name server", transient: true, hint: CHECK_NETWORK },
  ECONNRESET: { found: "connection reset", transient: true },
  ECONNABORTED: { found: "connection aborted", transient: true },
  EPIPE: { found: "connection closed while sending", transient: true },
  ETIMEDOUT: { found: "connection timed out", transient: true, hint: CHECK_NETWORK },
  EHOSTUNREACH: { found: "host unreachable", transient: true, hint: CHECK_NETWORK },
  ENETUNREACH: { found: "network unreachable", transient: true, hint: CHECK_NETWORK },
  ETOOSLOW: {
    found: "a transfer below the minimum rate",
    expected: "at least --min-rate bytes per second",
    transient: true,
    hint: "For a slower line, lower the rate: --min-rate 100, or 0 for none.",
  },
  EUNFINISHED: {
    found: `a document without an end after ${MAX_DOCUMENT_MINUTES} minutes`,
    expected: "all of it within that time",
    transient: true,
    hint: CHECK_NETWORK,
  },
  EINTERIM: { found: "too many interim answers (status 1xx)", transient: false, hint: CHECK_ADDRESS },
  EUPGRADE: { found: "status 101, a change of protocol", transient: false, hint: CHECK_ADDRESS },
  HPE_HEADER_OVERFLOW: { found: "answer headers above the limit", transient: false },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    found: "plain HTTP answer",
    expected: "TLS",
    transient: false,
    hint: "If this registry has no TLS, allow that with --plain-http.",
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
  // The name that BoringSSL, the TLS of the single executable, gives it.
  ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
  CERT_HAS_EXPIRED: certificateFault("expired certificate"),
  CERT_NOT_YET_VALID: certificateFault("certificate that is not valid yet"),
  ERR_TLS_CERT_ALTNAME_INVALID: certificateFault("certificate for another host name"),
};

/** A record of TLS 1.0 to 1.3 with an alert (RFC 8446, section 5.1): the answer to plain HTTP. */
const TLS_ALERT = "\u0015\u0003";
const TLS_ANSWER: Fault = {
  found: "TLS answer",
  expected: "plain HTTP",
  transient: false,
  hint: "Leave out --plain-http; for a loopback address choose TLS with --ca-file or --insecure.",
};

/** OpenSSL verification codes as Node reports them. */
const CERTIFICATE_CODE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|INVALID_CA$|HOSTNAME_MISMATCH$)/;

/**
 * A failure below HTTP as NetworkError; `transient` says whether the same request may succeed later.
 *
 * @param verb as in messages: "push", "pull", "read".
 * @param what subject of the message, for example `blob sha256:…`; may be empty.
 * @param where the registry or repository.
 */
export function networkError(cause: unknown, verb: string, what: string, where: string): NetworkError {
  const { found, transient, hint, expected = "an answer" } = faultOf(cause);
  return new NetworkError(`Cannot ${subject(verb, what, where)}: ${found}, expected ${expected}`, {
    cause,
    transient,
    ...(hint === undefined ? {} : { hint }),
  });
}

const VERBS_TO: ReadonlySet<string> = new Set(["push", "upload", "put", "write", "mount", "tag", "connect", "log in"]);

const VERBS_AT: ReadonlySet<string> = new Set(["create", "update", "authorize"]);

/** `push blob sha256:… to registry.lan/app`: the first half of every registry message. */
export function subject(verb: string, what: string, where: string): string {
  const preposition = VERBS_TO.has(verb) ? "to" : VERBS_AT.has(verb) ? "at" : "from";
  return `${verb}${what === "" ? "" : ` ${what}`} ${preposition} ${where}`;
}

function faultOf(cause: unknown): Fault {
  for (const error of errorsIn(cause)) {
    const code = errorCode(error);
    if (error.name === "TimeoutError") return { found: "no answer in time", transient: true };
    if (code === "") continue;
    if (Object.hasOwn(FAULTS, code) && FAULTS[code] !== undefined) return FAULTS[code];
    if (CERTIFICATE_CODE.test(code)) return certificateFault("untrusted certificate");
    if (code.startsWith("HPE_")) return malformedAnswer(error);
    if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
      const isPlainHttp = /wrong version number|packet length too long|http request/i.test(error.message);
      const plainHttp = isPlainHttp ? FAULTS["ERR_SSL_WRONG_VERSION_NUMBER"] : undefined;
      return plainHttp ?? { found: "TLS failure", transient: false, hint: "See --ca-file and --plain-http." };
    }
  }
  return { found: "connection failure", transient: false };
}

/**
 * Docker Hub's abuse limiter ends header lines with bare LF, which no strict parser accepts: its 429 arrives as a parser
 * error that carries the bytes. Other malformed answers mostly come from sockets that a proxy closed in between.
 */
function malformedAnswer(error: Error): Fault {
  const bytes = "data" in error ? error.data : "rawPacket" in error ? error.rawPacket : undefined;
  const text = bytes instanceof Uint8Array ? Buffer.from(bytes).toString("latin1", 0, 4096) : String(bytes ?? "");
  if (text.startsWith(TLS_ALERT)) return TLS_ANSWER;
  const isLimited = /HTTP\/1\.1 429/.test(text) || (/retry-after:/i.test(text) && /too many requests/i.test(text));
  return isLimited
    ? { found: "status 429 with malformed headers", transient: true, hint: "The registry limits requests; try later." }
    : { found: "malformed HTTP answer", transient: true };
}

function certificateFault(found: string): Fault {
  return {
    found,
    expected: "a certificate that this machine trusts",
    transient: false,
    hint: "Name the registry's certificate authority with --ca-file, or skip the check with --insecure.",
  };
}

/** The error, its causes and the members of aggregates (one per address that was tried), at most 16. */
function errorsIn(cause: unknown): readonly Error[] {
  const found: Error[] = [];
  const queue: unknown[] = [cause];
  while (queue.length > 0 && found.length < 16) {
    const next = queue.shift();
    if (!(next instanceof Error)) continue;
    found.push(next);
    if (next instanceof AggregateError) append(queue, next.errors);
    queue.push(next.cause);
  }
  return found;
}

/** The host is overloaded or limits requests, so other requests to it would fail the same way. */
export function isRateLimit(error: ImgpackError): boolean {
  return error instanceof RegistryError && (error.status === 429 || error.status === 503);
}

/** A proxy answers so while what it stands for is not there. */
export function isUnavailable(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** The name servers do not know the host, or not any more. */
export function isUnknownHost(cause: unknown): boolean {
  return errorsIn(cause).some(error => errorCode(error) === "ENOTFOUND");
}

const BREAKS: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "EPIPE", ""]);

/** The other side has refused the connection, or ended it. */
export function isBroken(error: NetworkError): boolean {
  return !isTimeout(error) && errorsIn(error.cause).some(cause => BREAKS.has(errorCode(cause)));
}

/** Nothing came in time: the host, or the line to it, may be overloaded. */
export function isTimeout(error: ImgpackError): boolean {
  if (error instanceof RegistryError) return error.status === 408 || error.status === 504;
  return errorsIn(error).some(cause => errorCode(cause) === "ETIMEDOUT" || cause.name === "TimeoutError");
}

/** An error of this project among an error and its causes. */
export function typedCause(cause: unknown): ImgpackError | undefined {
  for (let error: unknown = cause; error instanceof Error; error = error.cause) {
    if ("exitCode" in error && "hint" in error) return error as ImgpackError;
  }
  return undefined;
}

/** True when no connection was established. */
export function isConnectFault(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause instanceof AggregateError && cause.errors.some(isConnectFault)) return true;
  if ("syscall" in cause && (cause.syscall === "connect" || cause.syscall === "getaddrinfo")) return true;
  return isConnectFault(cause.cause);
}
