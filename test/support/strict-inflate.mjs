// @ts-check
// Inflates by the letter of RFC 1951, and is stricter than any decoder in use: codes are complete, a distance stays within
// the data, and every symbol that has a code can occur. The second opinion on what our encoder writes.

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;

/** @param {number} symbol */
const distanceExtra = symbol => (symbol < 4 ? 0 : (symbol >> 1) - 1);
/** @param {number} symbol */
const distanceBase = symbol => (symbol < 4 ? symbol + 1 : ((2 | (symbol & 1)) << distanceExtra(symbol)) + 1);

/**
 * @param {Uint8Array} data a whole deflate stream, and nothing else
 * @param {number} size of the result in bytes
 * @returns {Buffer}
 */
export function strictInflate(data, size) {
  const result = Buffer.alloc(size);
  const bits = new BitReader(data);
  let written = 0;
  for (let isLast = false; !isLast; ) {
    isLast = bits.take(1) === 1;
    const kind = bits.take(2);
    if (kind === 0) {
      const stored = bits.takeStored();
      if (written + stored.length > size) throw new Error(`more than ${size} bytes`);
      result.set(stored, written);
      written += stored.length;
    } else if (kind === 2) {
      written = inflateBlock(bits, readCodes(bits), result, written);
    } else throw new Error(`block of type ${kind}`);
  }
  bits.end();
  if (written !== size) throw new Error(`${written} bytes, expected ${size}`);
  return result;
}

class BitReader {
  #data;
  #at = 0;
  #bit = 0;

  /** @param {Uint8Array} data */
  constructor(data) {
    this.#data = data;
  }

  /** @param {number} count */
  take(count) {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      const byte = this.#data[this.#at];
      if (byte === undefined) throw new Error("the data ends early");
      value |= ((byte >> this.#bit) & 1) << index;
      this.#bit = (this.#bit + 1) & 7;
      if (this.#bit === 0) this.#at += 1;
    }
    return value;
  }

  align() {
    while (this.#bit !== 0) if (this.take(1) !== 0) throw new Error("padding that is not zero");
  }

  takeStored() {
    this.align();
    const length = this.take(16);
    if (this.take(16) !== (length ^ 0xffff))
      throw new Error("the length of a stored block does not fit its complement");
    const bytes = this.#data.subarray(this.#at, this.#at + length);
    if (bytes.length !== length) throw new Error("the data ends early");
    this.#at += length;
    return bytes;
  }

  end() {
    this.align();
    if (this.#at !== this.#data.length) throw new Error(`${this.#data.length - this.#at} bytes too many`);
  }
}

/** @typedef {Map<number, number>} Code by the code's bits, with a 1 before them */

/** @param {readonly number[]} lengths @param {string} what @returns {Code} */
function codeOf(lengths, what) {
  const sum = lengths.reduce((total, length) => total + (length === 0 ? 0 : 2 ** -length), 0);
  if (sum !== 1) throw new Error(`${what} code with a Kraft sum of ${sum}`);
  /** @type {Code} */
  const code = new Map();
  let next = 0;
  for (let length = 1; length <= 15; length += 1) {
    next <<= 1;
    for (const [symbol, found] of lengths.entries()) {
      if (found === length) code.set((1 << length) | next++, symbol);
    }
  }
  return code;
}

/** @param {BitReader} bits @param {Code} code */
function takeSymbol(bits, code) {
  for (let found = 1; found < 1 << 16; ) {
    found = (found << 1) | bits.take(1);
    const symbol = code.get(found);
    if (symbol !== undefined) return symbol;
  }
  throw new Error("bits that are no code");
}

/** @param {BitReader} bits */
function readCodes(bits) {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const sent = bits.take(4) + 4;
  if (literals > 286 || distances > 30) throw new Error(`${literals} literal and ${distances} distance codes`);
  const lengthLengths = Array.from({ length: 19 }, () => 0);
  for (const symbol of ORDER.slice(0, sent)) lengthLengths[symbol] = bits.take(3);
  const lengthCode = codeOf(lengthLengths, "code-length");
  /** @type {number[]} */
  const lengths = [];
  while (lengths.length < literals + distances) {
    const symbol = takeSymbol(bits, lengthCode);
    if (symbol < 16) lengths.push(symbol);
    else {
      const [value, times] =
        symbol === 16 ? [lengths.at(-1), 3 + bits.take(2)] : [0, symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)];
      if (value === undefined) throw new Error("a repetition of nothing");
      for (let index = 0; index < times; index += 1) lengths.push(value);
    }
  }
  if (lengths.length !== literals + distances) throw new Error("more code lengths than announced");
  return {
    literal: codeOf(lengths.slice(0, literals), "literal"),
    distance: codeOf(lengths.slice(literals), "distance"),
  };
}

/** @param {BitReader} bits @param {{ literal: Code, distance: Code }} codes @param {Buffer} result @param {number} start */
function inflateBlock(bits, { literal, distance }, result, start) {
  let written = start;
  for (;;) {
    const symbol = takeSymbol(bits, literal);
    if (symbol === END_OF_BLOCK) return written;
    if (symbol < END_OF_BLOCK) {
      if (written >= result.length) throw new Error(`more than ${result.length} bytes`);
      result[written++] = symbol;
      continue;
    }
    const length = (LENGTH_BASE[symbol - 257] ?? 0) + bits.take(LENGTH_EXTRA[symbol - 257] ?? 0);
    const distanceSymbol = takeSymbol(bits, distance);
    const back = distanceBase(distanceSymbol) + bits.take(distanceExtra(distanceSymbol));
    if (back > written) throw new Error(`a distance of ${back} at byte ${written}`);
    if (written + length > result.length) throw new Error(`more than ${result.length} bytes`);
    for (let index = 0; index < length; index += 1, written += 1) result[written] = result[written - back] ?? 0;
  }
}
