// @ts-check
import { brotliCompressSync, constants } from "node:zlib";

/**
 * As small as it gets: the package carries it, and a run that needs it decompresses it.
 * @param {string | Uint8Array} bytes
 */
export function brotli(bytes) {
  const { BROTLI_PARAM_LGWIN, BROTLI_MAX_WINDOW_BITS, BROTLI_PARAM_SIZE_HINT } = constants;
  const size = Buffer.byteLength(bytes);
  return brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS, [BROTLI_PARAM_SIZE_HINT]: size },
  });
}
