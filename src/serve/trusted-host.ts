import { isIP } from "node:net";

/**
 * Whether the Host of a request to a loopback server is this machine. A web page can point its domain name at 127.0.0.1 and
 * then use local servers as if they were its own (DNS rebinding, security case S-07). That does not work with addresses,
 * and with names that cannot be registered.
 */
export function isTrustedHost(header: string | undefined, listening: string): boolean {
  // HTTP/1.0 clients send none; browsers always do.
  if (header === undefined) return true;
  const name = header
    .replace(/:[0-9]{1,5}$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
  return (
    isIP(name) !== 0 ||
    name === listening.toLowerCase() ||
    /^(?:[a-z0-9.-]+\.)?(?:localhost|internal)$|^[a-z0-9-]+$/.test(name)
  );
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
