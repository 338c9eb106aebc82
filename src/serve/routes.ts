import { type Digest, isDigest } from "../oci/digest.ts";
import { isRepository, isTag } from "../oci/reference.ts";
import { quote } from "../util/format.ts";
import { Refusal } from "./refusal.ts";

export type Route =
  | { readonly kind: "health" }
  | { readonly kind: "metrics" }
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "manifest"; readonly repository: string; readonly reference: ManifestReference }
  | { readonly kind: "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string };

export type ManifestReference =
  | { readonly kind: "digest"; readonly digest: Digest }
  | { readonly kind: "tag"; readonly tag: string };

export interface RoutedRequest {
  readonly route: Route;
  /** Decoded once. */
  readonly query: URLSearchParams;
}

// 255 for the name, 135 for a digest, and the fixed parts.
const MAX_PATH_BYTES = 512;
const MAX_QUERY_BYTES = 8192;

/**
 * Parses the path of a request. The name is everything between `/v2/` and the last matching suffix, so repositories may
 * have parts called "blobs" or "manifests".
 *
 * @throws Refusal 404 for a path outside of the protocol, 400 for a malformed name or digest
 */
export function matchRoute(url: string): RoutedRequest {
  const mark = url.indexOf("?");
  const path = decodePath(mark < 0 ? url : url.slice(0, mark));
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  if (rawQuery.length > MAX_QUERY_BYTES) {
    throw new Refusal(414, "UNSUPPORTED", `query of ${rawQuery.length} bytes, expected at most ${MAX_QUERY_BYTES}`);
  }
  return { route: matchPath(path), query: new URLSearchParams(rawQuery) };
}

/** Decodes once; refuses text that could become another path by cleaning or a second decoding (security case S-03). */
function decodePath(raw: string): string {
  if (raw.length > MAX_PATH_BYTES) {
    throw new Refusal(414, "NAME_INVALID", `path of ${raw.length} bytes, expected at most ${MAX_PATH_BYTES}`);
  }
  let path: string | undefined;
  try {
    path = /%(2e|2f|5c|00)/i.test(raw) ? undefined : decodeURIComponent(raw);
  } catch {
    path = undefined;
  }
  if (path === undefined || !/^\/[!-~]*$/.test(path) || /\/\/|\/\.{1,2}(\/|$)|[%\\?#]/.test(path)) {
    throw new Refusal(400, "NAME_INVALID", `path ${quote(raw)}, expected plain ASCII segments`);
  }
  return path;
}

function matchPath(path: string): Route {
  if (path === "/healthz") return { kind: "health" };
  if (path === "/metrics") return { kind: "metrics" };
  if (path === "/v2" || path === "/v2/") return { kind: "ping" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const parts = path.split("/").slice(2);
  const [third = "", second = "", last = ""] = parts.slice(-3);
  const name = (suffixParts: number): string => checkName(parts.slice(0, -suffixParts).join("/"));
  if (path.startsWith("/v2/") && parts.length >= 3) {
    if (third === "blobs" && second === "uploads") {
      return last === "" ? { kind: "uploads", repository: name(3) } : { kind: "upload", repository: name(3), id: last };
    }
    if (second === "blobs" && last === "uploads") return { kind: "uploads", repository: name(2) };
    if (second === "tags" && last === "list") return { kind: "tags", repository: name(2) };
    if (second === "blobs") return { kind: "blob", repository: name(2), digest: checkDigest(last) };
    if (second === "referrers") return { kind: "referrers", repository: name(2), digest: checkDigest(last) };
    if (second === "manifests") return { kind: "manifest", repository: name(2), reference: checkReference(last) };
  }
  throw new Refusal(404, "UNSUPPORTED", `path ${quote(path)} is not part of the distribution specification`);
}

export function checkName(name: string): string {
  if (isRepository(name)) return name;
  throw new Refusal(400, "NAME_INVALID", `repository name ${quote(name)}, expected lower-case path components`);
}

export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Refusal(
    400,
    "DIGEST_INVALID",
    `digest ${quote(text)}, expected sha256:<64 hex digits> or sha512:<128 hex digits>`,
  );
}

export function checkTag(tag: string): string {
  if (isTag(tag)) return tag;
  throw new Refusal(400, "NAME_INVALID", `tag ${quote(tag)}, expected at most 128 of A-Z a-z 0-9 _ . -`);
}

function checkReference(text: string): ManifestReference {
  return text.includes(":") ? { kind: "digest", digest: checkDigest(text) } : { kind: "tag", tag: checkTag(text) };
}

/** Whether it is neither of the protocol nor for monitors. */
export function isPagePath(url: string): boolean {
  return !/^\/(?:v2|healthz|metrics)(?:[/?#]|$)/.test(url);
}

/** What kind of path it is, one of a few words, for counting. */
export function routeLabel(url: string): string {
  if (isPagePath(url)) return "page";
  try {
    return matchRoute(url).route.kind;
  } catch {
    return "other";
  }
}
