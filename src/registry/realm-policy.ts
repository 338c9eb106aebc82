import { lookup } from "node:dns/promises";
import { AuthError } from "../errors.ts";
import { type AddressKind, addressKind } from "./address.ts";
import { parseLocation, portOf, quoteLocation } from "./origin.ts";

/** All addresses of a host name; empty when they are not known here, as behind a proxy. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/**
 * The token server that a registry named, checked before any secret goes there (security case A-03): https if the
 * registry has https, no user information, no fragment, never a link-local, metadata or unspecified address, and an
 * address inside a private network or this machine only if the registry is there too.
 *
 * @throws AuthError naming what is wrong with the realm.
 */
export async function checkRealm(realm: string, registry: URL, resolve: ResolveHost = resolveHost): Promise<URL> {
  const refused = (found: string, expected: string): AuthError =>
    new AuthError(
      `Cannot log in to ${registry.host}: token server ${quoteLocation(realm)} is ${found}, expected ${expected}`,
      { hint: `The registry chose this address; credentials for ${registry.host} were not sent to it.` },
    );
  // A relative realm is nobody's practice, so only absolute ones are read.
  if (!/^https?:\/\//i.test(realm)) throw refused("no http or https URL", "https");
  if (realm.includes("#")) throw refused("a URL with a fragment", "none");
  let url: URL;
  try {
    url = parseLocation(realm, registry, 401);
  } catch {
    throw refused("no plain URL", "a host name without user information");
  }
  if (registry.protocol === "https:" && url.protocol !== "https:")
    throw refused("unencrypted", "https like the registry");
  if (url.hostname === registry.hostname && portOf(url) === portOf(registry)) return url;
  const kinds = await kindsOf(url.hostname, resolve);
  if (kinds.includes("forbidden")) throw refused("at a link-local or reserved address", "a routable host");
  const isLoopback = kinds.includes("loopback");
  if (!isLoopback && !kinds.includes("private")) return url;
  const around = await kindsOf(registry.hostname, resolve);
  const isAllowed = around.includes("loopback") || (!isLoopback && around.includes("private"));
  if (!isAllowed)
    throw refused(isLoopback ? "on this machine" : "at a private address", "a public host like the registry");
  return url;
}

async function kindsOf(host: string, resolve: ResolveHost): Promise<readonly AddressKind[]> {
  const kind = addressKind(host);
  return kind === "name" ? (await resolve(host)).map(address => addressKind(address)) : [kind];
}

async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Names that only a proxy knows are common; without one the request itself fails and says so.
    return [];
  }
}
