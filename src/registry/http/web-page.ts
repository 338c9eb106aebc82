import { type HeaderMap, headerText } from "./headers.ts";

/** Whether an answer is a web page, as portals, proxies and wrong ports send it with status 200. */
export function isWebPage(headers: HeaderMap, bytes?: Uint8Array): boolean {
  if (contentType(headers).toLowerCase().includes("html")) return true;
  const start = Buffer.from(bytes?.subarray(0, 256) ?? []).toString("latin1");
  return /^\s*<(?:!doctype|html|head|body)/i.test(start);
}

/** The media type of an answer without its parameters; empty if there is none. */
export function contentType(headers: HeaderMap): string {
  return headerText(headers, "content-type")?.split(";", 1)[0]?.trim() ?? "";
}
