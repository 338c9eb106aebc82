import type { AddressKind } from "./address.ts";

/**
 * What is wrong with a host that a registry leads to; undefined: nothing. Addresses inside a private network, or of this
 * machine, only when the registry itself is there; link-local, metadata and unspecified ones never (security cases A-03,
 *
 *
 * @param kinds Where the addresses of that host lie.
 * @param home Where those of the registry lie; empty when that is not known, as behind a proxy.
 */
export function forbiddenAddress(kinds: readonly AddressKind[], home: readonly AddressKind[]): string | undefined {
  if (kinds.includes("forbidden")) return "a link-local or reserved address";
  const isOnThisMachine = home.length > 0 && home.every(kind => kind === "loopback");
  if (kinds.includes("loopback") && !isOnThisMachine) return "an address of this machine";
  return kinds.includes("private") && !isInside(home) ? "a private address" : undefined;
}

/** True when all addresses lie in a private network or on this machine. */
export function isInside(kinds: readonly AddressKind[]): boolean {
  return kinds.length > 0 && kinds.every(kind => kind === "private" || kind === "loopback");
}
