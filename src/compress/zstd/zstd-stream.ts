import type { Transform } from "node:stream";
import { nodeZstd } from "./node-zstd.ts";
import type { ZstdProfile } from "./zstd-profile.ts";

const PART_BYTES = 256 * 1024;

/**
 * Compresses to one zstd frame (RFC 8878) with a checksum, on a thread of the runtime: one encoder for a whole layer, because
 * making an encoder per block takes as long as compressing the block.
 *
 * @param chunks each may change when the next one is asked for.
 */
export async function* zstdStream(
  chunks: AsyncIterable<Uint8Array>,
  { level }: ZstdProfile,
): AsyncGenerator<Uint8Array> {
  if (nodeZstd === undefined) throw new TypeError("this Node has no zstd");
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = nodeZstd.constants;
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 };
  const encoder = nodeZstd.createZstdCompress({ params, chunkSize: PART_BYTES });
  // The iterator reports errors to its reader; an error after the reader has stopped must not end the process.
  encoder.on("error", () => undefined);
  const feeding = feed(encoder, chunks);
  feeding.catch(error => encoder.destroy(error));
  try {
    for await (const part of encoder as AsyncIterable<Uint8Array>) yield part;
    await feeding;
  } finally {
    encoder.destroy();
    // The chunks' memory is in use until their last write has ended.
    await feeding.catch(() => undefined);
  }
}

async function feed(encoder: Transform, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    await new Promise<void>(resolve => {
      // A destroyed encoder does not call back.
      encoder.once("close", resolve);
      encoder.write(chunk, () => {
        encoder.off("close", resolve);
        resolve();
      });
    });
    // Its reader has stopped: the next chunk may be long in coming.
    if (encoder.destroyed) return;
  }
  encoder.end();
}
