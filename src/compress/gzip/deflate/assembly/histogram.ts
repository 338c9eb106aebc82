import {
  DISTANCE_FREQUENCIES,
  END_OF_BLOCK,
  LENGTH_COUNTS,
  LENGTH_SYMBOL,
  LITERAL_COUNTS,
  LITERAL_FREQUENCIES,
  LITERALS,
  SEQUENCES,
} from "./memory.ts";
import { distanceSymbolOf, LONGEST_MATCH, lengthOf, literalEnd, sequenceEnd } from "./sequences.ts";

const TABLE_BYTES: usize = 1024;

function count(table: usize, index: usize): void {
  const address = table + (index << 2);
  store<u32>(address, load<u32>(address) + 1);
}

/** Counts the symbols of the parsed block. */
export function countSymbols(): void {
  memory.fill(LITERAL_COUNTS, 0, 4 * TABLE_BYTES + 4 * (LONGEST_MATCH + 1));
  memory.fill(LITERAL_FREQUENCIES, 0, 4 * 288);
  memory.fill(DISTANCE_FREQUENCIES, 0, 4 * 32);

  const wordEnd = LITERALS + ((literalEnd - LITERALS) & ~7);
  for (let at = LITERALS; at < wordEnd; at += 8) {
    const low = load<u32>(at);
    const high = load<u32>(at, 4);
    count(LITERAL_COUNTS, low & 255);
    count(LITERAL_COUNTS + TABLE_BYTES, (low >> 8) & 255);
    count(LITERAL_COUNTS + 2 * TABLE_BYTES, (low >> 16) & 255);
    count(LITERAL_COUNTS + 3 * TABLE_BYTES, low >> 24);
    count(LITERAL_COUNTS, high & 255);
    count(LITERAL_COUNTS + TABLE_BYTES, (high >> 8) & 255);
    count(LITERAL_COUNTS + 2 * TABLE_BYTES, (high >> 16) & 255);
    count(LITERAL_COUNTS + 3 * TABLE_BYTES, high >> 24);
  }
  for (let at = wordEnd; at < literalEnd; at += 1) count(LITERAL_COUNTS, load<u8>(at));
  for (let at = SEQUENCES; at < sequenceEnd; at += 8) {
    const sequence = load<u64>(at);
    count(LENGTH_COUNTS, lengthOf(sequence));
    count(DISTANCE_FREQUENCIES, distanceSymbolOf(sequence));
  }

  for (let at: usize = 0; at < TABLE_BYTES; at += 16) {
    const a = i32x4.add(v128.load(at, LITERAL_COUNTS), v128.load(at, LITERAL_COUNTS + TABLE_BYTES));
    const b = i32x4.add(
      v128.load(at, LITERAL_COUNTS + 2 * TABLE_BYTES),
      v128.load(at, LITERAL_COUNTS + 3 * TABLE_BYTES),
    );
    v128.store(at, i32x4.add(a, b), LITERAL_FREQUENCIES);
  }
  for (let length: usize = 3; length <= LONGEST_MATCH; length += 1) {
    const address = LITERAL_FREQUENCIES + ((<usize>END_OF_BLOCK + 1 + load<u8>(length, LENGTH_SYMBOL)) << 2);
    store<u32>(address, load<u32>(address) + load<u32>(length << 2, LENGTH_COUNTS));
  }
  store<u32>(LITERAL_FREQUENCIES + (END_OF_BLOCK << 2), 1);
}
