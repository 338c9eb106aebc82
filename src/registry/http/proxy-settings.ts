import { UsageError } from "../../errors.ts";
import { basicAuthorization } from "./basic-authorization.ts";
import { isBypassed } from "./proxy-bypass.ts";

/** An HTTP proxy. Its secret is sent only to the proxy itself (security case A-21). */
export interface HttpProxy {
  /** Only scheme, host and port. */
  readonly url: URL;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

/** The proxy for requests to a URL; undefined: connect directly. */
export type ProxyFor = (url: URL) => HttpProxy | undefined;

/**
 * The proxies that the environment names: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, lower case first, as curl and Go read
 * them. Never for this machine's own addresses.
 *
 * @throws UsageError for a variable that is no http or https URL, without its text: it may hold a password.
 */
export function proxiesOf(env: NodeJS.ProcessEnv): ProxyFor {
  const proxies = new Map([
    ["http:", readProxy(env, "HTTP_PROXY")],
    ["https:", readProxy(env, "HTTPS_PROXY")],
  ]);
  const noProxy = env["no_proxy"] || env["NO_PROXY"] || "";
  return url => {
    const proxy = proxies.get(url.protocol);
    return proxy === undefined || isBypassed(url, noProxy) ? undefined : proxy;
  };
}

function readProxy(env: NodeJS.ProcessEnv, name: string): HttpProxy | undefined {
  const lower = name.toLowerCase();
  const variable = env[lower] ? lower : name;
  const text = env[variable]?.trim();
  if (!text) return undefined;
  const refused = (found: string): UsageError =>
    new UsageError(`Cannot use ${variable}: found ${found}, expected http://HOST:PORT`, {
      hint: "Name an HTTP proxy, or unset the variable; NO_PROXY lists hosts that need none.",
    });
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") throw refused(`a ${scheme} proxy`);
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `http://${text}` : text);
  } catch {
    throw refused("no URL");
  }
  if (url.hostname === "") throw refused("no host");
  const authorization = authorizationOf(url, refused);
  return { url: new URL(`${url.protocol}//${url.host}`), authorization };
}

function authorizationOf(url: URL, refused: (found: string) => UsageError): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  try {
    return basicAuthorization({
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    });
  } catch {
    throw refused("user information with a broken % escape");
  }
}
