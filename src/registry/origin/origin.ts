import { RegistryError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** Redirect and session URLs of real registries are shorter; those of Artifact Registry come closest. */
const MAX_LOCATION_LENGTH = 16 * 1024;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** Scheme, host and port, always with the port. Credentials belong to one origin. */
export function originOf(url: URL): string {
  return `${url.protocol}//${url.hostname}:${portOf(url)}`;
}

export function portOf(url: URL): string {
  return url.port === "" ? (DEFAULT_PORTS[url.protocol] ?? "") : url.port;
}

/**
 * A `Location` header as an absolute URL without fragment. `new URL()` repairs its input (drops tabs, turns `\` into
 * `/`, reads `0x7f.1` as 127.0.0.1), so the raw text is checked first.
 *
 * @param base URL of the request that was answered.
 * @param status HTTP status of the answer, for the error.
 * @throws RegistryError when the text is not a plain http or https location.
 */
export function parseLocation(raw: string, base: URL, status = 302): URL {
  const refused = (found: string): RegistryError =>
    new RegistryError(
      `Cannot follow location ${quoteLocation(raw)} from ${base.host}: ${found}, expected a plain http or https URL`,
      { status, hint: "The registry, or a proxy in front of it, is misconfigured or hostile." },
    );
  const fault = locationFault(raw);
  if (fault !== undefined) throw refused(fault);
  let url: URL;
  try {
    url = new URL(raw, base);
  } catch {
    throw refused("not a URL");
  }
  const authority = authorityOf(raw);
  if (authority !== undefined && !isSameHost(hostOf(authority), url.hostname))
    throw refused("unusual spelling of a host");
  url.hash = "";
  return url;
}

/** A location for a message, without query and user information, which may be capabilities. */
export function quoteLocation(raw: string): string {
  const [path = ""] = raw.split(/[?#]/, 1);
  return quote(path.replace(/\/\/[^/]*@/, "//[redacted]@"));
}

function locationFault(raw: string): string | undefined {
  if (raw === "") return "empty";
  if (raw.length > MAX_LOCATION_LENGTH) return `${raw.length} characters`;
  if (!/^[\x21-\x7e]*$/.test(raw)) return "blank, control or non-ASCII character";
  if (raw.includes("\\")) return "backslash";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(raw);
  if (scheme !== null && !/^https?:\/\/[^/]/i.test(raw)) return "other scheme or no host";
  const authority = authorityOf(raw);
  return authority === undefined ? undefined : authorityFault(authority);
}

/** Text between `//` and the path; undefined for a location relative to the request's host. */
function authorityOf(raw: string): string | undefined {
  return /^(?:https?:)?\/\/([^/?#]*)/i.exec(raw)?.[1];
}

function hostOf(authority: string): string {
  return authority.startsWith("[") ? authority.slice(0, authority.indexOf("]") + 1) : (authority.split(":")[0] ?? "");
}

function authorityFault(authority: string): string | undefined {
  if (authority.includes("@")) return "user information";
  const host = hostOf(authority);
  const port = authority.slice(host.length);
  if (port !== "" && !/^:[0-9]{1,5}$/.test(port)) return "malformed port";
  if (host.startsWith("[")) return /^\[[0-9A-Fa-f:.]+\]$/.test(host) ? undefined : "malformed IPv6 address";
  return /^[A-Za-z0-9._-]+$/.test(host) ? undefined : "malformed host";
}

/** IPv6 has many spellings of one address; names and IPv4 must stay unchanged. */
function isSameHost(raw: string, parsed: string): boolean {
  return raw.startsWith("[") || raw.toLowerCase() === parsed;
}
