// @ts-check
import { crc32 } from "node:zlib";
import { deflate } from "libdeflate";

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const STORED_MAX = 65535;
const PROBE_BYTES = 32768;
/** Bits per byte. Machine code and text stay below 6.7, compressed and encrypted data above 7.9. */
const DENSE_ENTROPY = 7.7;
const PROBE_BITS = Math.clz32(1) - Math.clz32(PROBE_BYTES);
/** Rounded terms have an exact sum, so the comparison has the same result on every processor and Node build. */
const TERM_SCALE = 1024;
const DENSE_SUM = Math.round(PROBE_BYTES * (PROBE_BITS - DENSE_ENTROPY) * TERM_SCALE);

/**
 * Writes one gzip member (RFC 1952) of the frozen profile: mtime 0, no name, operating system 255. Blocks that do not
 * shrink are stored, which is cheap and depends on the content only.
 * @param {Uint8Array} input
 * @param {number} level libdeflate level, 1 to 12
 * @param {Uint8Array} target room for the input and 1 KiB more per MiB
 * @returns {number} bytes written
 */
export function gzipMember(input, level, target) {
  const body = isIncompressible(input, level) ? undefined : deflate(input, level);
  const storedBytes = input.length + 5 * Math.max(1, Math.ceil(input.length / STORED_MAX));
  const isStored = body === undefined || body.length >= storedBytes;
  const bodyBytes = isStored ? storedBytes : body.length;
  target.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  if (isStored) writeStored(input, target);
  else target.set(body, HEADER_BYTES);
  const trailer = new DataView(target.buffer, target.byteOffset + HEADER_BYTES + bodyBytes, TRAILER_BYTES);
  trailer.setUint32(0, crc32(input), true);
  trailer.setUint32(4, input.length, true);
  return HEADER_BYTES + bodyBytes + TRAILER_BYTES;
}

/**
 * Writes stored blocks (RFC 1951 section 3.2.4).
 * @param {Uint8Array} input
 * @param {Uint8Array} target
 */
function writeStored(input, target) {
  let out = HEADER_BYTES;
  let position = 0;
  do {
    const length = Math.min(STORED_MAX, input.length - position);
    const isLast = position + length === input.length;
    target.set([isLast ? 1 : 0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255], out);
    target.set(input.subarray(position, position + length), out + 5);
    out += 5 + length;
    position += length;
  } while (position < input.length);
}

/**
 * Two cheap checks before the expensive compression: whether the byte histogram of the middle of the block is dense, and
 * if so, whether samples shrink by less than 1/32.
 * @param {Uint8Array} input
 * @param {number} level
 */
function isIncompressible(input, level) {
  if (input.length < 2 * PROBE_BYTES) return false;
  const start = (input.length - PROBE_BYTES) >> 1;
  const probe = input.subarray(start, start + PROBE_BYTES);
  if (!isDense(probe)) return false;
  const head = input.subarray(0, PROBE_BYTES);
  const limit = PROBE_BYTES - PROBE_BYTES / 32;
  return deflate(probe, level).length > limit && deflate(head, level).length > limit;
}

/**
 * Entropy of n bytes = log2 n − Σ count·log2(count) / n; the limit is compared with Σ.
 * @param {Uint8Array} probe PROBE_BYTES long
 */
function isDense(probe) {
  const counts = new Uint32Array(256);
  for (const byte of probe) counts[byte] = /** @type {number} */ (counts[byte]) + 1;
  let sum = 0;
  for (const count of counts) {
    if (count > 1) sum += Math.round(count * Math.log2(count) * TERM_SCALE);
  }
  return sum <= DENSE_SUM;
}
