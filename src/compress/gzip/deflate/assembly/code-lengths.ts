import { makeCode } from "./huffman-code.ts";
import {
  CODE_LENGTH_CODES,
  CODE_LENGTH_FREQUENCIES,
  CODE_LENGTH_LENGTHS,
  CODE_LENGTH_RUNS,
  CODE_LENGTH_SYMBOLS,
  CODE_LENGTHS,
  DISTANCE_LENGTHS,
  DISTANCE_SYMBOLS,
  LITERAL_LENGTHS,
  LITERAL_SYMBOLS,
} from "./memory.ts";

const LONGEST_CODE: i32 = 7;
const FEWEST_LITERAL_CODES: i32 = 257;
const FEWEST_DISTANCE_CODES: i32 = 1;
const FEWEST_CODE_LENGTH_CODES: i32 = 4;

const COPY_PREVIOUS: i32 = 16;
const FEW_ZEROS: i32 = 17;
const MANY_ZEROS: i32 = 18;

/** The order in which the lengths of the code-length code are sent. */
const ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// How many lengths of each code are sent, where the runs end, and the size of all that in bits.
export let literalCodes: i32 = 0;
export let distanceCodes: i32 = 0;
export let codeLengthCodes: i32 = 0;
export let runEnd: usize = 0;
export let headerBits: u32 = 0;

/** Symbols up to the last one that has a code, at least `fewest`. */
function usedSymbols(lengths: usize, symbols: i32, fewest: i32): i32 {
  let count = symbols;
  while (count > fewest && load<u8>(lengths + count - 1) === 0) count -= 1;
  return count;
}

/** The length of the code that is sent as number `index`. */
export function orderedLength(index: i32): u32 {
  return load<u8>(CODE_LENGTH_LENGTHS + load<u8>(ORDER + index));
}

/** Extra bits of a run's symbol (RFC 1951 section 3.2.7). */
export function runExtraBits(symbol: i32): u32 {
  if (symbol < COPY_PREVIOUS) return 0;
  return symbol === COPY_PREVIOUS ? 2 : symbol === FEW_ZEROS ? 3 : 7;
}

function addRun(symbol: i32, extra: i32): void {
  store<u16>(runEnd, symbol | (extra << 8));
  runEnd += 2;
  const frequency = CODE_LENGTH_FREQUENCIES + (symbol << 2);
  store<u32>(frequency, load<u32>(frequency) + 1);
}

/** Adds the runs that describe `count` equal code lengths. */
function addEqual(length: i32, count: i32): void {
  let left = count;
  if (length === 0) {
    for (; left > 10; left -= min<i32>(left, 138)) addRun(MANY_ZEROS, min<i32>(left, 138) - 11);
    if (left > 2) {
      addRun(FEW_ZEROS, left - 3);
      return;
    }
  } else {
    addRun(length, 0);
    left -= 1;
    for (; left > 2; left -= min<i32>(left, 6)) addRun(COPY_PREVIOUS, min<i32>(left, 6) - 3);
  }
  for (; left > 0; left -= 1) addRun(length, 0);
}

/** Prepares how the literal and distance codes of a block are described (RFC 1951 section 3.2.7). */
export function describeCodes(): void {
  literalCodes = usedSymbols(LITERAL_LENGTHS, LITERAL_SYMBOLS, FEWEST_LITERAL_CODES);
  distanceCodes = usedSymbols(DISTANCE_LENGTHS, DISTANCE_SYMBOLS, FEWEST_DISTANCE_CODES);
  memory.copy(CODE_LENGTHS, LITERAL_LENGTHS, literalCodes);
  memory.copy(CODE_LENGTHS + literalCodes, DISTANCE_LENGTHS, distanceCodes);
  memory.fill(CODE_LENGTH_FREQUENCIES, 0, 4 * CODE_LENGTH_SYMBOLS);
  runEnd = CODE_LENGTH_RUNS;
  const total = literalCodes + distanceCodes;
  let start = 0;
  for (let index = 1; index <= total; index += 1) {
    const length = load<u8>(CODE_LENGTHS + start);
    if (index < total && load<u8>(CODE_LENGTHS + index) === length) continue;
    addEqual(length, index - start);
    start = index;
  }
  makeCode(CODE_LENGTH_FREQUENCIES, CODE_LENGTH_SYMBOLS, LONGEST_CODE, CODE_LENGTH_LENGTHS, CODE_LENGTH_CODES);
  codeLengthCodes = CODE_LENGTH_SYMBOLS;
  while (codeLengthCodes > FEWEST_CODE_LENGTH_CODES && orderedLength(codeLengthCodes - 1) === 0) codeLengthCodes -= 1;

  headerBits = 5 + 5 + 4 + 3 * codeLengthCodes;
  for (let symbol = 0; symbol < CODE_LENGTH_SYMBOLS; symbol += 1) {
    const bits = <u32>load<u8>(CODE_LENGTH_LENGTHS + symbol) + runExtraBits(symbol);
    headerBits += load<u32>(CODE_LENGTH_FREQUENCIES + (symbol << 2)) * bits;
  }
}
