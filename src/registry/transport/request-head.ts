import type { TransportRequest } from "./exchange.ts";

/** Methods of which a server expects a length, also of no body (RFC 9110, section 8.6). */
const WITH_LENGTH: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^[\x21-\x7e]+$/;

/**
 * The head of a request with a body in memory, or none.
 *
 * @throws TypeError for what would be more than one header, or another path.
 */
export function requestHead({ method, url, headers, body }: TransportRequest): string {
  const path = `${url.pathname}${url.search}`;
  if (!PATH.test(path)) throw new TypeError("Cannot send a path with blanks or control characters");
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  let hasLength = false;
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value)) throw new TypeError(`Cannot send header ${JSON.stringify(name)}`);
    hasLength ||= name.toLowerCase() === "content-length";
    head += `${name}: ${value}\r\n`;
  }
  const length = body instanceof Uint8Array ? body.length : 0;
  if (!hasLength && (length > 0 || WITH_LENGTH.has(method))) head += `content-length: ${length}\r\n`;
  return `${head}connection: keep-alive\r\n\r\n`;
}
