import { BlockList } from "node:net";
import { ipFamily } from "../../util/net/ip-family.ts";
import { addressKind } from "../origin/address.ts";
import { portOf } from "../origin/origin.ts";

/**
 * True when NO_PROXY, or the host itself, requires a direct connection: this machine, `*`, an address, a range
 * (`10.0.0.0/8`), a name with all names below it (`lan.example`), only those below it (`.lan.example`,
 * `*.lan.example`), each with or without `:port`. A range is compared with addresses, never with what a name resolves to.
 *
 * @param noProxy entries separated by commas or blanks; malformed ones match nothing.
 */
export function isBypassed(url: URL, noProxy: string): boolean {
  const host = bareHost(url.hostname).replace(/\.$/, "");
  if (addressKind(host) === "loopback") return true;
  const port = portOf(url);
  return noProxy.split(/[\s,]+/).some(entry => entry !== "" && matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const { name, port: wantedPort } = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (name.includes("/")) return isInRange(name, host);
  if (ipFamily(name) !== 0)
    return ipFamily(host) !== 0 && isInRange(`${name}/${ipFamily(name) === 6 ? 128 : 32}`, host);
  if (ipFamily(host) !== 0) return false;
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  if (domain === "" || domain.includes("*")) return false;
  return host.endsWith(`.${domain}`) || (host === domain && domain === name.replace(/\.$/, ""));
}

/** `host:port`, `[v6]:port`, or without a port; a bare IPv6 address has colons of its own. */
function splitPort(entry: string): { readonly name: string; readonly port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](\/[0-9]+)?(?::([0-9]+))?$/.exec(entry);
  if (bracketed !== null) return { name: `${bracketed[1] ?? ""}${bracketed[2] ?? ""}`, port: bracketed[3] };
  const plain = /^([^:]*):([0-9]+)$/.exec(entry);
  return plain === null ? { name: entry, port: undefined } : { name: plain[1] ?? "", port: plain[2] };
}

function isInRange(range: string, host: string): boolean {
  const [address = "", bits = "", ...rest] = range.split("/");
  const family = ipFamily(address);
  const most = family === 6 ? 128 : 32;
  if (family === 0 || rest.length > 0 || !/^[0-9]{1,3}$/.test(bits) || Number(bits) > most) return false;
  const hostFamily = ipFamily(host);
  if (hostFamily === 0) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  return list.check(host, hostFamily === 6 ? "ipv6" : "ipv4");
}

function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
