import { DEPTH_COUNTS, NEXT_CODES, SORT_A, SORT_B, SORT_COUNTS } from "./memory.ts";

const LONGEST_CODE: u32 = 15;
/** A key is a frequency shifted left by this, and a symbol. */
const SYMBOL_BITS: u32 = 9;

function word(table: usize, index: i32): u32 {
  return load<u32>(table + ((<usize>index) << 2));
}

function setWord(table: usize, index: i32, value: u32): void {
  store<u32>(table + ((<usize>index) << 2), value);
}

/** Sorts keys by 8 bits of them, from one table into another. */
function sortByByte(from: usize, to: usize, keys: i32, shift: u32): void {
  memory.fill(SORT_COUNTS, 0, 1024);
  for (let index = 0; index < keys; index += 1) {
    const digit = (word(from, index) >> shift) & 255;
    setWord(SORT_COUNTS, digit, word(SORT_COUNTS, digit) + 1);
  }
  let sum: u32 = 0;
  for (let digit = 0; digit < 256; digit += 1) {
    const count = word(SORT_COUNTS, digit);
    setWord(SORT_COUNTS, digit, sum);
    sum += count;
  }
  for (let index = 0; index < keys; index += 1) {
    const key = word(from, index);
    const digit = (key >> shift) & 255;
    const at = word(SORT_COUNTS, digit);
    setWord(SORT_COUNTS, digit, at + 1);
    setWord(to, at, key);
  }
}

/** The keys of the used symbols in SORT_A, the rarest first. Frequencies are below 2^16. */
function sortSymbols(frequencies: usize, symbols: i32): i32 {
  let used = 0;
  let unused = 0;
  for (let symbol = 0; symbol < symbols; symbol += 1) {
    const frequency = word(frequencies, symbol);
    setWord(SORT_A, used, (frequency << SYMBOL_BITS) | symbol);
    used += <i32>(frequency !== 0);
  }
  // Some decoders take only a complete code, and that has two symbols.
  for (; used < 2; unused += 1) {
    if (word(frequencies, unused) === 0) {
      setWord(SORT_A, used, (1 << SYMBOL_BITS) | unused);
      used += 1;
    }
  }
  sortByByte(SORT_A, SORT_B, used, SYMBOL_BITS);
  sortByByte(SORT_B, SORT_A, used, SYMBOL_BITS + 8);
  return used;
}

/**
 * Counts in DEPTH_COUNTS how many of the sorted symbols have which code length, without a limit but the table's end
 * (A. Moffat, J. Katajainen: In-place calculation of minimum-redundancy codes, 1995).
 */
function countDepths(used: i32, limit: i32): void {
  for (let index = 0; index < used; index += 1) setWord(SORT_B, index, word(SORT_A, index) >> SYMBOL_BITS);
  setWord(SORT_B, 0, word(SORT_B, 0) + word(SORT_B, 1));
  let root = 0;
  let leaf = 2;
  for (let next = 1; next < used - 1; next += 1) {
    let weight: u32 = 0;
    if (leaf >= used || word(SORT_B, root) < word(SORT_B, leaf)) {
      weight = word(SORT_B, root);
      setWord(SORT_B, root, next);
      root += 1;
    } else {
      weight = word(SORT_B, leaf);
      leaf += 1;
    }
    if (leaf >= used || (root < next && word(SORT_B, root) < word(SORT_B, leaf))) {
      weight += word(SORT_B, root);
      setWord(SORT_B, root, next);
      root += 1;
    } else {
      weight += word(SORT_B, leaf);
      leaf += 1;
    }
    setWord(SORT_B, next, weight);
  }
  // Parents become depths, from the root down; leaves fill what inner nodes leave of each depth.
  setWord(SORT_B, used - 2, 0);
  for (let next = used - 3; next >= 0; next -= 1) {
    setWord(SORT_B, next, word(SORT_B, word(SORT_B, next)) + 1);
  }
  memory.fill(DEPTH_COUNTS, 0, 64);
  let node = used - 2;
  let depth: u32 = 0;
  for (let available = 1; available > 0; depth += 1) {
    let inner = 0;
    for (; node >= 0 && word(SORT_B, node) === depth; node -= 1) inner += 1;
    const at = min<i32>(depth, limit);
    setWord(DEPTH_COUNTS, at, word(DEPTH_COUNTS, at) + available - inner);
    available = 2 * inner;
  }
}

/** Makes a code complete again whose longer codes were cut to `limit`: each step lengthens a shorter one. */
function repairDepths(limit: i32): void {
  let sum = 0;
  for (let depth = 1; depth <= limit; depth += 1) sum += word(DEPTH_COUNTS, depth) << (limit - depth);
  for (; sum > 1 << limit; sum -= 1) {
    let depth = limit - 1;
    while (word(DEPTH_COUNTS, depth) === 0) depth -= 1;
    setWord(DEPTH_COUNTS, limit, word(DEPTH_COUNTS, limit) - 1);
    setWord(DEPTH_COUNTS, depth, word(DEPTH_COUNTS, depth) - 1);
    setWord(DEPTH_COUNTS, depth + 1, word(DEPTH_COUNTS, depth + 1) + 2);
  }
  if (!ASC_NO_ASSERT) assert(sum === 1 << limit);
}

/** Deflate sends codes with their highest bit first, everything else with the lowest. */
function reversed(code: u32, bits: u32): u32 {
  let result = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  result = ((result & 0x3333) << 2) | ((result >> 2) & 0x3333);
  result = ((result & 0x0f0f) << 4) | ((result >> 4) & 0x0f0f);
  result = ((result & 0x00ff) << 8) | (result >> 8);
  return result >> (16 - bits);
}

/**
 * Makes the canonical Huffman code of RFC 1951 section 3.2.2.
 *
 * @param frequencies u32 per symbol
 * @param limit longest code, at most 15 bits
 * @param lengths u8 per symbol, written: 0 for a symbol without a code
 * @param codes u32 per symbol, written, reversed
 */
export function makeCode(frequencies: usize, symbols: i32, limit: i32, lengths: usize, codes: usize): void {
  const used = sortSymbols(frequencies, symbols);
  countDepths(used, limit);
  repairDepths(limit);

  memory.fill(lengths, 0, symbols);
  let index = 0;
  for (let depth = limit; depth > 0; depth -= 1) {
    for (let left = word(DEPTH_COUNTS, depth); left > 0; left -= 1) {
      store<u8>(lengths + (word(SORT_A, index) & ((1 << SYMBOL_BITS) - 1)), depth);
      index += 1;
    }
  }
  let code: u32 = 0;
  for (let depth = 1; depth <= <i32>LONGEST_CODE; depth += 1) {
    code = (code + (depth > 1 ? word(DEPTH_COUNTS, depth - 1) : 0)) << 1;
    setWord(NEXT_CODES, depth, code);
  }
  for (let symbol = 0; symbol < symbols; symbol += 1) {
    const bits = <u32>load<u8>(lengths + symbol);
    if (bits === 0) continue;
    const next = word(NEXT_CODES, bits);
    setWord(NEXT_CODES, bits, next + 1);
    setWord(codes, symbol, reversed(next, bits));
  }
}
