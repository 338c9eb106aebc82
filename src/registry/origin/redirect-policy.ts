import { RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { addressKind } from "./address.ts";
import { originOf, parseLocation, quoteLocation } from "./origin.ts";

export interface Redirect {
  readonly url: URL;
  /** False: no credentials and no other header that `crossOriginHeaders` drops, on this and every later hop. */
  readonly sameOrigin: boolean;
}

export interface RedirectOptions {
  /** The answering host is known to have a private address: then storage in the same network is normal. */
  readonly fromIsPrivate?: boolean;
  /** HTTP status of the answer, for errors. */
  readonly status?: number;
}

/** Real registries use one or two. */
const MAX_HOPS = 5;
const CROSS_ORIGIN_HEADERS: ReadonlySet<string> = new Set(["accept", "range", "if-range", "user-agent"]);

/**
 * Decides where a redirect of a read leads (security case A-04).
 *
 * @param hop 1 for the first redirect of a request.
 * @param seen URLs of this request so far; both ends of the hop are added.
 * @throws RegistryError for a loop, too many hops, https to http, or an address that a registry must not point at.
 */
export function followRedirect(
  from: URL,
  location: string,
  hop: number,
  seen: Set<string>,
  options: RedirectOptions = {},
): Redirect {
  const status = options.status ?? 302;
  if (hop > MAX_HOPS) throw refused(from, location, `redirect ${hop}`, `at most ${MAX_HOPS}`, status);
  const url = parseLocation(location, from, status);
  seen.add(from.href);
  if (seen.has(url.href)) throw refused(from, location, "redirect loop", "a new location", status);
  seen.add(url.href);
  checkTarget(from, url, location, options);
  return { url, sameOrigin: originOf(from) === originOf(url) };
}

/**
 * Those of our headers that may go to another origin: an allow-list, because a deny-list forgets the next header that
 * carries a secret (security case A-12).
 */
export function crossOriginHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => CROSS_ORIGIN_HEADERS.has(name.toLowerCase())));
}

export interface UploadLocation extends Redirect {
  /** The registry named its own host with another scheme or port; ours were kept. */
  readonly adjusted: boolean;
}

/**
 * The session URL of an upload (security case A-05). A registry behind a TLS proxy often names its inner scheme or port:
 * on the same host ours win. Another host is used, but without credentials. The query stays unchanged.
 *
 * @throws RegistryError like `followRedirect`.
 */
export function resolveUploadLocation(
  requestUrl: URL,
  location: string,
  options: RedirectOptions = {},
): UploadLocation {
  const url = parseLocation(location, requestUrl, options.status ?? 202);
  if (originOf(url) === originOf(requestUrl)) return { url, sameOrigin: true, adjusted: false };
  if (url.hostname === requestUrl.hostname) {
    const kept = new URL(`${requestUrl.origin}${url.pathname}${url.search}`);
    return { url: kept, sameOrigin: true, adjusted: true };
  }
  checkTarget(requestUrl, url, location, { status: 202, ...options });
  return { url, sameOrigin: false, adjusted: false };
}

/** The closing URL of an upload: `digest` after the query of the session URL, which stays unchanged byte for byte. */
export function withDigest(url: URL | string, digest: Digest): URL {
  const href = new URL(url);
  href.hash = "";
  const text = href.href;
  const separator = !text.includes("?") ? "?" : /[?&]$/.test(text) ? "" : "&";
  return new URL(`${text}${separator}digest=${encodeURIComponent(digest)}`);
}

function checkTarget(
  from: URL,
  url: URL,
  location: string,
  { fromIsPrivate = false, status = 302 }: RedirectOptions,
): void {
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw refused(from, location, "unencrypted location", "https", status);
  }
  if (url.hostname === from.hostname) return;
  const kind = addressKind(url.hostname);
  if (kind === "forbidden") throw refused(from, location, "link-local or reserved address", "a routable host", status);
  if (kind !== "private" && kind !== "loopback") return;
  const fromKind = addressKind(from.hostname);
  const isInside = fromIsPrivate || fromKind === "private" || fromKind === "loopback";
  if (!isInside) throw refused(from, location, "private address", "a public host", status);
  // The transport checks names when it resolves them.
  if (kind === "loopback" && fromKind === "private") {
    throw refused(from, location, "address of this machine", "a host next to the registry", status);
  }
}

function refused(from: URL, location: string, found: string, expected: string, status: number): RegistryError {
  return new RegistryError(
    `Cannot follow location ${quoteLocation(location)} from ${from.host}: ${found}, expected ${expected}`,
    { status, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
  );
}
