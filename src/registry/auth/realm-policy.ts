import { lookup } from "node:dns/promises";
import { AuthError } from "../../errors.ts";
import { type AddressKind, addressKind, forbiddenAddress } from "../origin/address.ts";
import { parseLocation, portOf, quoteLocation } from "../origin/origin.ts";

/** All addresses of the host of a URL; empty when they cannot be resolved here, as with a proxy. */
export type ResolveHost = (host: string, url: URL) => Promise<readonly string[]>;

/**
 * Checks the token server that a registry names before any secret is sent there (security case A-03): https if the
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
  // No registry sends a relative realm, so only absolute ones are accepted.
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
  const kinds = await kindsOf(url, resolve);
  const isSuspect = kinds.some(kind => kind !== "name" && kind !== "public");
  const found = isSuspect ? forbiddenAddress(kinds, await kindsOf(registry, resolve)) : undefined;
  if (found !== undefined) throw refused(`at ${found}`, `a host that ${registry.host} may lead to`);
  return url;
}

async function kindsOf(url: URL, resolve: ResolveHost): Promise<readonly AddressKind[]> {
  const kind = addressKind(url.hostname);
  return kind === "name" ? (await resolve(url.hostname, url)).map(address => addressKind(address)) : [kind];
}

/** All addresses of a host, from this machine's name service. */
export async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Names that only a proxy can resolve are common. Without a proxy the request itself fails.
    return [];
  }
}
