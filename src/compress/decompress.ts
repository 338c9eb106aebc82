import type { Readable } from "node:stream";
import type { Compression } from "./detect.ts";
import { gunzip } from "./gzip/gunzip.ts";

/**
 * Decompresses a stream of one or more members, frames or streams; zeros up to 1 MiB may follow the last one. Nothing
 * derived from the bytes may be committed before the end: checksums stand behind what they cover (security case Z-07).
 *
 * @param what names the stream in messages.
 * @param ratioLimit how many times as long as its input the output may be, past 16 MiB; 1000 unless told.
 * @throws ArchiveError "truncated-…" or "damaged-…" with the compression's name, "inflation-ratio" (security case Z-01),
 * "zstd-window", "zstd-dictionary", "xz-dictionary", "xz-filter" or "xz-check" for what is not read.
 */
export async function* decompress(
  source: Readable,
  compression: Compression,
  what: string,
  signal?: AbortSignal,
  ratioLimit?: number,
): AsyncGenerator<Uint8Array, void> {
  // It may break before the decoder is there to see it, and would take the process along.
  source.on("error", () => undefined);
  try {
    const decode = await decoderOf(compression);
    yield* decode(source, what, signal, ratioLimit);
  } finally {
    source.destroy();
  }
}

// The rarer decoders are loaded when they are needed.
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
