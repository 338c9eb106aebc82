import { isIPv4, isIPv6 } from "node:net";

/**
 * The family of an IP address, 0 for anything else; as `net.isIP`. Node's test for IPv6 compiles a large pattern on first
 * use (up to 25 ms), which names and IPv4 addresses avoid here.
 */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (text.includes(":")) return isIPv6(text) ? 6 : 0;
  return isIPv4(text) ? 4 : 0;
}
