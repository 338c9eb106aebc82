/** The smallest size that needs base-256, because it has more than eleven octal digits (8 GiB). */
export const MIN_BASE256_SIZE: number = 8 ** 11;

const BLANK = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/**
 * The field from `start` to `end - 1`: optional blanks, at least one octal digit, then nothing but NUL and blanks.
 * `undefined` for anything else. Fields have at most 12 bytes, so the value is always a safe integer.
 */
export function decodeOctal(block: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  while (at < end && block[at] === BLANK) at += 1;
  const first = at;
  let value = 0;
  for (; at < end; at += 1) {
    const byte = block[at] ?? 0;
    if (byte < ZERO || byte > SEVEN) break;
    value = value * 8 + (byte - ZERO);
  }
  if (at === first) return undefined;
  for (; at < end; at += 1) if (block[at] !== 0 && block[at] !== BLANK) return undefined;
  return value;
}

/**
 * Whether a field that is not used here is a number for every reader: octal, base-256 of either sign, or empty. At any
 * other field, Python's tarfile silently ends the archive.
 */
export function isNumberField(block: Uint8Array, start: number, end: number): boolean {
  if (block[start] === 0x80 || block[start] === 0xff || decodeOctal(block, start, end) !== undefined) return true;
  for (let at = start; at < end; at += 1) if (block[at] !== 0 && block[at] !== BLANK) return false;
  return true;
}

/** Octal, or positive base-256 (first byte exactly 0x80) up to 2^53 − 1; `undefined` for anything else. */
export function decodeSize(block: Uint8Array, start: number, end: number): number | undefined {
  if (block[start] !== 0x80) return decodeOctal(block, start, end);
  let value = 0;
  for (let at = start + 1; at < end; at += 1) {
    value = value * 256 + (block[at] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value;
}

/** Twelve bytes: eleven octal digits and NUL, base-256 from 8 GiB on. `size` is a safe integer ≥ 0. */
export function encodeSize(size: number): Uint8Array {
  if (size < MIN_BASE256_SIZE) return new TextEncoder().encode(`${size.toString(8).padStart(11, "0")}\0`);
  const field = new Uint8Array(12);
  field[0] = 0x80;
  for (let at = 11, rest = size; rest > 0; at -= 1, rest = Math.floor(rest / 256)) field[at] = rest % 256;
  return field;
}
