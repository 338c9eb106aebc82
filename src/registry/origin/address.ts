import { BlockList } from "node:net";
import { once } from "../../util/lazy/once.ts";
import { ipFamily } from "../../util/net/ip-family.ts";

/** Kind of a host's address. `forbidden`: link-local, cloud metadata, unspecified, multicast; never a registry. */
export type AddressKind = "name" | "public" | "private" | "loopback" | "forbidden";

/** Lists are built on first use, because most commands only see names. */
const FORBIDDEN = once(() =>
  blockList([
    ["0.0.0.0", 8],
    ["169.254.0.0", 16],
    // Metadata services of clouds that do not use link-local addresses.
    ["100.100.100.200", 32],
    ["192.0.0.192", 32],
    ["168.63.129.16", 32],
    ["fd00:ec2::", 32],
    ["224.0.0.0", 3],
    ["fe80::", 10],
    ["ff00::", 8],
    ["::", 128],
  ]),
);
const LOOPBACK = once(() =>
  blockList([
    ["127.0.0.0", 8],
    ["::1", 128],
  ]),
);
const PRIVATE = once(() =>
  blockList([
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["fc00::", 7],
    ["fec0::", 10],
  ]),
);

/** @param host As in `URL.hostname`: lower case, IPv6 in brackets or bare. */
export function addressKind(host: string): AddressKind {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const family = ipFamily(bare);
  if (family === 0) return /(^|\.)localhost\.?$/.test(bare) ? "loopback" : "name";
  const address = family === 6 ? (embeddedIPv4(bare) ?? bare) : bare;
  const type = ipFamily(address) === 6 ? "ipv6" : "ipv4";
  if (FORBIDDEN().check(address, type)) return "forbidden";
  if (LOOPBACK().check(address, type)) return "loopback";
  return PRIVATE().check(address, type) ? "private" : "public";
}

/**
 * What is wrong with a host that a registry names; undefined when nothing is. Addresses of a private network, or of this
 * machine, are allowed only when the registry itself is there; link-local, metadata and unspecified ones never (security
 * cases ).
 *
 * @param kinds of the addresses of that host.
 * @param home those of the registry; empty when they are unknown, as with a proxy.
 */
export function forbiddenAddress(kinds: readonly AddressKind[], home: readonly AddressKind[]): string | undefined {
  if (kinds.includes("forbidden")) return "a link-local or reserved address";
  const isOnThisMachine = home.length > 0 && home.every(kind => kind === "loopback");
  if (kinds.includes("loopback") && !isOnThisMachine) return "an address of this machine";
  return kinds.includes("private") && !isInside(home) ? "a private address" : undefined;
}

/** True when all addresses belong to a private network or this machine. */
export function isInside(kinds: readonly AddressKind[]): boolean {
  return kinds.length > 0 && kinds.every(kind => kind === "private" || kind === "loopback");
}

/** The IPv4 address that an IPv4-mapped, IPv4-compatible, NAT64 or 6to4 address reaches. */
function embeddedIPv4(address: string): string | undefined {
  const groups = ipv6Groups(address);
  const [first, second, third] = groups;
  const head = groups.slice(0, 6).join(",");
  if (first === 0x2002) return dotted(second, third);
  const isMapped = head === "0,0,0,0,0,65535" || head === "100,65435,0,0,0,0";
  // ::/96 without :: and ::1, which are addresses in their own right.
  const isCompatible = head === "0,0,0,0,0,0" && ((groups[6] ?? 0) !== 0 || (groups[7] ?? 0) > 1);
  return isMapped || isCompatible ? dotted(groups[6], groups[7]) : undefined;
}

function ipv6Groups(address: string): readonly number[] {
  // URL writes IPv6 in its canonical form: hexadecimal groups only, no dotted tail.
  const canonical = new URL(`http://[${address.split("%")[0] ?? ""}]/`).hostname.slice(1, -1);
  const [left = "", right] = canonical.split("::");
  const parse = (text: string): number[] =>
    text === "" ? [] : text.split(":").map(group => Number.parseInt(group, 16));
  if (right === undefined) return parse(left);
  const head = parse(left);
  const tail = parse(right);
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function blockList(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  // Not ipFamily, which would test a constant.
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, address.includes(":") ? "ipv6" : "ipv4");
  return list;
}
