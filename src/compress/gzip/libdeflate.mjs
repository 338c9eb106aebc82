// @ts-check
import { deflate } from "libdeflate";
import { deflate as ownDeflate } from "./deflate/deflate.mjs";

const PROBE_BYTES = 32 * 1024;
const PROBE_LEVEL = 1;

/**
 * libdeflate is slow where it gains nothing, so the fast encoder first tries two samples of the block.
 * @param {Uint8Array} input
 * @param {number} level 4 to 12
 * @returns {Uint8Array | undefined} undefined if both samples shrink by less than 1/32
 */
export function deflateUnlessDense(input, level) {
  return isDense(input) ? undefined : deflate(input, level);
}

/** @param {Uint8Array} input */
function isDense(input) {
  if (input.length < 2 * PROBE_BYTES) return false;
  const limit = PROBE_BYTES - PROBE_BYTES / 32;
  return [(input.length - PROBE_BYTES) >> 1, 0].every(
    start => ownDeflate(input.subarray(start, start + PROBE_BYTES), PROBE_LEVEL).length > limit,
  );
}
