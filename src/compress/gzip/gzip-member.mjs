// @ts-check
import { crc32 } from "node:zlib";
import { deflate, LAST_LEVEL } from "./deflate/deflate.mjs";

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const STORED_MAX = 65535;

/**
 * Writes one gzip member (RFC 1952) of the frozen profile: mtime 0, no name, operating system 255. A block that does not
 * shrink is stored.
 * @typedef {(input: Uint8Array, target: Uint8Array) => number} WriteMember
 *   `target` has room for the input and 1 KiB more per MiB; returns bytes written
 */

/**
 * @param {number} level 1 or 2: our own encoder; 4 to 12: libdeflate, which is loaded only then
 * @returns {Promise<WriteMember>}
 */
export async function memberWriter(level) {
  const compress = level <= LAST_LEVEL ? deflate : (await import("./libdeflate.mjs")).deflateUnlessDense;
  return (input, target) => writeMember(input, compress(input, level), target);
}

/**
 * @param {Uint8Array} input
 * @param {Uint8Array | undefined} body undefined: not worth it
 * @param {Uint8Array} target
 * @returns {number}
 */
function writeMember(input, body, target) {
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
