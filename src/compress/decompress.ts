import type { Readable } from "node:stream";
import type { Compression } from "./detect.ts";
import { gunzip } from "./gunzip.ts";

export async function* decompress(
  source: Readable,
  compression: Compression,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  if (compression !== "gzip") throw new Error(compression);
  yield* gunzip(source, what, signal, ratioLimit);
}
