import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";
import { quote } from "../util/format.ts";
import { once } from "../util/lazy/once.ts";
import { ipFamily } from "../util/net/ip-family.ts";
import { Refusal } from "./refusal.ts";

/** Also matches these addresses inside IPv6 (::ffff:127.0.0.1). */
const LOOPBACK = once(() => {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  return list;
});

/** @param address as a socket reports it, never a name */
export function isLoopback(address: string): boolean {
  const family = ipFamily(address);
  return family !== 0 && LOOPBACK().check(address, family === 4 ? "ipv4" : "ipv6");
}

/** An IPv4 address that came through a socket of IPv6 as what it is. @param address as a socket reports it */
export function plainAddress(address = ""): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}

/** Lower case, without a port, brackets, or the dot at the end of a full name. */
export function plainHost(text: string): string {
  return (
    text
      // The last group of an address without brackets (::1) is no port.
      .replace(/^(\[.*\]|[^:]*):[0-9]{1,5}$/, "$1")
      .replace(/^\[(.*)\]$/, "$1")
      .replace(/\.$/, "")
      .toLowerCase()
  );
}

/**
 * Makes a target in absolute form (`GET http://host/path`) the path, with the Host of the URI: the Host header is ignored
 * then (RFC 9112 section 3.2.2).
 */
export function takeTarget(request: IncomingMessage): void {
  const [found, host = "", rest = ""] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(request.url ?? "") ?? [];
  if (found === undefined) return;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
  request.headers.host = host;
}

/** Which names in a Host header are this registry. */
export interface HostRule {
  /** As `plainHost` returns them. */
  readonly names: ReadonlySet<string>;
  /** Whether other names are refused on every connection, and not only over loopback. */
  readonly isStrict: boolean;
}

/**
 * Refuses web pages. Only browsers send Origin. A page can also point its domain name at this machine and then use a server
 * on it as its own (DNS rebinding, security case S-07). That does not work with addresses, and with names that cannot be
 * registered.
 *
 * @throws Refusal 400 for several Host headers (RFC 9112 section 3.2), 403 for a web page
 */
export function checkOrigin({ headers, rawHeaders, socket }: IncomingMessage, { names, isStrict }: HostRule): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  if (hosts.length > 1) throw new Refusal(400, "UNSUPPORTED", `${hosts.length} Host headers, expected one`);
  if (headers.origin !== undefined) throw new Refusal(403, "DENIED", "requests from web pages are not answered");
  // HTTP/1.0 clients send none; browsers always do.
  if (headers.host === undefined) return;
  const isChecked = isStrict || isLoopback(socket.localAddress ?? "");
  if (!isChecked || isOwnName(headers.host, names)) return;
  const found = `host ${quote(headers.host)} is not a name of this registry`;
  throw new Refusal(403, "DENIED", `${found}, expected localhost, an address, or a name given with --allow-host`);
}

/**
 * The name by which a client reaches this server, with the port, for pages that say how to pull. A name that anybody can
 * register is shown only if the server was told of it; otherwise the address is.
 */
export function shownHost({ headers, socket }: IncomingMessage, { names }: HostRule): string {
  const { host = "" } = headers;
  if (/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(host) && isOwnName(host, names))
    return host.toLowerCase();
  const address = plainAddress(socket.localAddress ?? "127.0.0.1");
  return `${address.includes(":") ? `[${address}]` : address}:${socket.localPort ?? 0}`;
}

function isOwnName(host: string, names: HostRule["names"]): boolean {
  const name = plainHost(host);
  return names.has(name) || isUnregistrable(name);
}

function isUnregistrable(name: string): boolean {
  return ipFamily(name) !== 0 || /^(?:[a-z0-9.-]+\.)?(?:localhost|internal)$|^[a-z0-9-]+$/.test(name);
}
