import { alignToByte, output, pendingBits, setBits } from "./bit-writer.ts";
import { describeCodes, headerBits } from "./code-lengths.ts";
import { countSymbols } from "./histogram.ts";
import { makeCode } from "./huffman-code.ts";
import {
  BLOCK_BYTES,
  DISTANCE_CODES,
  DISTANCE_EXTRA,
  DISTANCE_FREQUENCIES,
  DISTANCE_LENGTHS,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  HASH_TABLE,
  HASH_TABLE_BYTES,
  INPUT,
  LAST_BLOCK_BYTES,
  LENGTH_EXTRA,
  LITERAL_CODES,
  LITERAL_FREQUENCIES,
  LITERAL_LENGTHS,
  LITERAL_SYMBOLS,
  MEMBER_BYTES,
  OUTPUT,
  OUTPUT_BYTES,
  SLACK,
} from "./memory.ts";
import { parseFast } from "./parse-fast.ts";
import { parseSmall } from "./parse-small.ts";
import { makeTables } from "./tables.ts";
import { writeDynamic, writeStored } from "./write-block.ts";

const LONGEST_CODE: i32 = 15;
const FAST: i32 = 1;

/** Where the caller puts the input, and finds the result. */
export function inputAddress(): usize {
  return INPUT;
}
export function outputAddress(): usize {
  return OUTPUT;
}

makeTables();

/**
 * Compresses the input to a whole deflate stream (RFC 1951). The result depends on nothing but the input and the level.
 *
 * @param bytes of the input, at most MEMBER_BYTES
 * @param level 1 (fast) or 2 (small)
 * @returns bytes of the result
 */
export function deflate(bytes: usize, level: i32): usize {
  if (!ASC_NO_ASSERT) assert(bytes <= MEMBER_BYTES);
  const end = INPUT + bytes;
  // The search reads a few bytes after the input: what was there before must not decide anything.
  memory.fill(end, 0, SLACK);
  // A zeroed entry is the first byte: a candidate like any other.
  memory.fill(HASH_TABLE, 0, HASH_TABLE_BYTES);
  setBits(OUTPUT, 0, 0);
  let start = INPUT;
  do {
    const left = end - start;
    const blockBytes = left <= LAST_BLOCK_BYTES ? left : BLOCK_BYTES;
    writeBlock(start, blockBytes, end, level);
    start += blockBytes;
  } while (start < end);
  alignToByte();
  if (!ASC_NO_ASSERT) assert(output <= OUTPUT + OUTPUT_BYTES - SLACK);
  return output - OUTPUT;
}

function writeBlock(start: usize, bytes: usize, inputEnd: usize, level: i32): void {
  const end = start + bytes;
  const isLast = end === inputEnd;
  if (level === FAST) parseFast(start, end, inputEnd);
  else parseSmall(start, end, inputEnd);
  countSymbols();
  makeCode(LITERAL_FREQUENCIES, LITERAL_SYMBOLS, LONGEST_CODE, LITERAL_LENGTHS, LITERAL_CODES);
  makeCode(DISTANCE_FREQUENCIES, DISTANCE_SYMBOLS, LONGEST_CODE, DISTANCE_LENGTHS, DISTANCE_CODES);
  describeCodes();
  const padding = <u32>(8 - ((pendingBits + 3) & 7)) & 7;
  const storedBits = padding + 32 + 8 * <u32>bytes;
  if (headerBits + symbolBits() < storedBits) writeDynamic(isLast);
  else writeStored(start, bytes, isLast);
}

/** The size of the block's symbols, with their extra bits. */
function symbolBits(): u32 {
  let bits: u32 = 0;
  for (let symbol = 0; symbol < LITERAL_SYMBOLS; symbol += 1) {
    const extra: u32 = symbol <= END_OF_BLOCK ? 0 : load<u8>(LENGTH_EXTRA + symbol - END_OF_BLOCK - 1);
    bits += load<u32>(LITERAL_FREQUENCIES + (symbol << 2)) * (load<u8>(LITERAL_LENGTHS + symbol) + extra);
  }
  for (let symbol = 0; symbol < DISTANCE_SYMBOLS; symbol += 1) {
    const length = <u32>load<u8>(DISTANCE_LENGTHS + symbol) + load<u8>(DISTANCE_EXTRA + symbol);
    bits += load<u32>(DISTANCE_FREQUENCIES + (symbol << 2)) * length;
  }
  return bits;
}
