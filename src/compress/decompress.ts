import type { Readable } from "node:stream";
import type { Compression } from "./detect.ts";
import { gunzip } from "./gzip/gunzip.ts";

/**
 * Decompresses a stream of one or more members, frames or streams; up to 1 MiB of zeros may follow the last one. Commit
 * nothing that depends on the output before the end: checksums come after the data that they cover (security case Z-07).
 *
 * @param what names the stream in messages.
 * @param ratioLimit maximum ratio of output to input, above 16 MiB of output (default 1000).
 * @throws ArchiveError "truncated-…" or "damaged-…" with the compression's name, "inflation-ratio" (security case Z-01),
 * "zstd-window", "zstd-dictionary", "xz-dictionary", "xz-filter" or "xz-check" for unsupported data.
 */
export async function* decompress(
  source: Readable,
  compression: Compression,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  // An error before the decoder is loaded must not end the process; the decoder reports it.
  source.on("error", () => undefined);
  try {
    const decode = await decoderOf(compression);
    yield* decode(source, what, signal, ratioLimit);
  } finally {
    source.destroy();
  }
}

// The less common decoders are loaded on demand.
async function decoderOf(compression: Compression): Promise<typeof gunzip> {
  switch (compression) {
    case "gzip":
      return gunzip;
    case "zstd":
      return (await import("./zstd/unzstd.ts")).unzstd;
    case "xz":
      return (await import("./xz/unxz.ts")).unxz;
    case "bzip2":
      return (await import("./bzip2/bunzip2.ts")).bunzip2;
  }
}
