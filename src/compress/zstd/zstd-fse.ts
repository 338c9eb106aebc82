import { ZstdDamage } from "./zstd-bits.ts";

/** A decoding table of finite state entropy coding (RFC 8878 section 4.1). */
export interface FseTable {
  /** Number of bits of a state. */
  readonly log: number;
  /** Symbol of each state. */
  readonly symbols: Uint8Array;
  /** For each state: the number of bits to read for the next state, and what to add to them. */
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** A table with one state, for a repeated symbol. */
export function repeatTable(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** @param counts probability of each symbol, in units of 1/2^log; -1 means less than one. */
export function fseTable(counts: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = Uint16Array.from(counts, count => Math.abs(count));
  let top = size;
  for (const [symbol, count] of counts.entries()) {
    if (count !== -1) continue;
    top -= 1;
    symbols[top] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let left = count; left > 0; left -= 1) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= top);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state] as number;
    const number = next[symbol] as number;
    next[symbol] = number + 1;
    const width = log - (31 - Math.clz32(number));
    bits[state] = width;
    bases[state] = (number << width) - size;
  }
  return { log, symbols, bits, bases };
}

/**
 * Reads the description of a table at the start of `data`.
 *
 * @param most the largest symbol.
 */
export function readFseTable(
  data: Uint8Array,
  most: number,
  largestLog: number,
): { readonly table: FseTable; readonly bytes: number } {
  let at = 0;
  const peek = (count: number): number => {
    const byte = at >> 3;
    const word = (data[byte] ?? 0) | ((data[byte + 1] ?? 0) << 8) | ((data[byte + 2] ?? 0) << 16);
    return (word >>> (at & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  at += 4;
  if (log > largestLog) throw new ZstdDamage("a table that is too large");
  let left = 1 << log;
  const counts: number[] = [];
  while (left > 0) {
    if (counts.length > most) throw new ZstdDamage("a table with too many symbols");
    const width = 32 - Math.clz32(left + 1);
    // Values below the threshold use one bit less.
    const threshold = 2 ** width - 2 - left;
    let value = peek(width - 1);
    if (value < threshold) at += width - 1;
    else {
      value = peek(width);
      at += width;
      if (value >= 2 ** (width - 1)) value -= threshold;
    }
    const count = value - 1;
    counts.push(count);
    left -= Math.abs(count);
    if (count !== 0) continue;
    let repeat = 3;
    while (repeat === 3) {
      repeat = peek(2);
      at += 2;
      for (let zero = 0; zero < repeat; zero += 1) counts.push(0);
      if (counts.length > most + 1) throw new ZstdDamage("a table with too many symbols");
    }
  }
  const bytes = (at + 7) >> 3;
  if (left < 0 || bytes > data.length) throw new ZstdDamage("a table that does not add up");
  return { table: fseTable(counts, log), bytes };
}
