import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCE_SYMBOL,
  DISTANCE_SYMBOLS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LENGTH_SYMBOL,
} from "./memory.ts";

const LONGEST_SYMBOL: u32 = 28;

/** Fills the tables of RFC 1951 section 3.2.5. */
export function makeTables(): void {
  let base: u32 = 3;
  for (let symbol: u32 = 0; symbol <= LONGEST_SYMBOL; symbol += 1) {
    // 258 has a symbol of its own, without extra bits.
    const extra: u32 = symbol < 8 || symbol === LONGEST_SYMBOL ? 0 : (symbol >> 2) - 1;
    if (symbol === LONGEST_SYMBOL) base = 258;
    store<u32>(LENGTH_BASE + (symbol << 2), base);
    store<u8>(LENGTH_EXTRA + symbol, extra);
    for (let length = base; length < base + (1 << extra) && length <= 258; length += 1) {
      store<u8>(LENGTH_SYMBOL + length, symbol);
    }
    base += 1 << extra;
  }
  let d: u32 = 0;
  for (let symbol: u32 = 0; symbol < <u32>DISTANCE_SYMBOLS; symbol += 1) {
    const extra: u32 = symbol < 4 ? 0 : (symbol >> 1) - 1;
    store<u32>(DISTANCE_BASE + (symbol << 2), d);
    store<u8>(DISTANCE_EXTRA + symbol, extra);
    for (const end = d + (1 << extra); d < end; d += 1) {
      store<u8>(DISTANCE_SYMBOL + <usize>select<u32>(d, 256 + (d >> 7), d < 256), symbol);
    }
  }
}
