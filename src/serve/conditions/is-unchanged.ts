import type { IncomingHttpHeaders } from "node:http";

/** Whether the client has this already: If-None-Match of a GET or a HEAD (RFC 9110 section 13.1.2). */
export function isUnchanged(headers: IncomingHttpHeaders, etag: string): boolean {
  const known = (headers["if-none-match"] ?? "").split(",").map(tag => tag.trim().replace(/^W\//, ""));
  return known.includes(etag) || known.includes("*");
}
