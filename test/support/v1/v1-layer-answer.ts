import { bytesAnswer, type V1Answer, type V1Seen } from "./v1-answer.ts";
import type { V1Manner } from "./v1-options.ts";

/**
 * A layer as old servers send it: 0.6 in chunks, without ranges; 0.8 and 0.9 with a Content-Range without "bytes", one
 * byte too many promised for an open range, and 416 for one byte.
 */
export function layerAnswer({ headers }: V1Seen, layer: Buffer, manner: V1Manner): V1Answer {
  if (headers["if-modified-since"] !== undefined) return bytesAnswer(304, Buffer.alloc(0));
  if (manner === "0.6") return { status: 200, headers: { "content-type": "text/html" }, body: layer, isChunked: true };
  const type = { "content-type": "application/octet-stream" };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined || to === undefined) return bytesAnswer(200, layer, type);
  const start = Number(from);
  const last = to === "" ? layer.length : Number(to);
  if (start >= layer.length || start >= last || (to !== "" && last >= layer.length)) {
    return bytesAnswer(416, Buffer.alloc(0));
  }
  const body = layer.subarray(start, last + 1);
  const length = last - start + 1;
  const range = { "content-range": `${start}-${last}/${layer.length}`, "content-length": String(length) };
  // The promised byte never comes.
  return {
    ...bytesAnswer(206, body, { ...type, ...range }),
    ...(length > body.length ? { cutAfter: body.length } : {}),
  };
}
