import { alignToByte, output, pending, pendingBits, setBits, writeBits } from "./bit-writer.ts";
import { codeLengthCodes, distanceCodes, literalCodes, orderedLength, runEnd, runExtraBits } from "./code-lengths.ts";
import {
  CODE_LENGTH_CODES,
  CODE_LENGTH_LENGTHS,
  CODE_LENGTH_RUNS,
  DISTANCE_BASE,
  DISTANCE_BITS,
  DISTANCE_CODES,
  DISTANCE_EXTRA,
  DISTANCE_LENGTHS,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LENGTH_BASE,
  LENGTH_BITS,
  LENGTH_EXTRA,
  LENGTH_SYMBOL,
  LITERAL_BITS,
  LITERAL_CODES,
  LITERAL_LENGTHS,
  LITERALS,
  SEQUENCES,
} from "./memory.ts";
import { distanceSymbolOf, LONGEST_MATCH, lengthOf, literalEnd, runOf, sequenceEnd } from "./sequences.ts";

const STORED: u64 = 0;
const DYNAMIC: u64 = 2;

/** Writes a stored block (RFC 1951 section 3.2.4) of at most 65,535 bytes. */
export function writeStored(start: usize, bytes: usize, isLast: bool): void {
  writeBits(<u64>isLast | (STORED << 1), 3);
  alignToByte();
  writeBits(<u64>bytes | ((<u64>(bytes ^ 0xffff)) << 16), 32);
  memory.copy(output, start, bytes);
  setBits(output + bytes, 0, 0);
}

/** Writes the parsed block with the codes that were made for it (RFC 1951 section 3.2.7). */
export function writeDynamic(isLast: bool): void {
  writeBits(<u64>isLast | (DYNAMIC << 1), 3);
  writeCodes();
  makeLiteralBits();
  makeLengthBits();
  makeDistanceBits();
  writeSymbols();
  writeBits(load<u32>(LITERAL_CODES + (END_OF_BLOCK << 2)), load<u8>(LITERAL_LENGTHS + END_OF_BLOCK));
}

function writeCodes(): void {
  writeBits((literalCodes - 257) | ((distanceCodes - 1) << 5) | ((codeLengthCodes - 4) << 10), 14);
  for (let index = 0; index < codeLengthCodes; index += 1) writeBits(orderedLength(index), 3);
  for (let run = CODE_LENGTH_RUNS; run < runEnd; run += 2) {
    const symbol = <i32>load<u8>(run);
    const bits = <u32>load<u8>(CODE_LENGTH_LENGTHS + symbol);
    writeBits(
      load<u32>(CODE_LENGTH_CODES + (symbol << 2)) | ((<u32>load<u8>(run, 1)) << bits),
      bits + runExtraBits(symbol),
    );
  }
}

function makeLiteralBits(): void {
  for (let symbol = 0; symbol < END_OF_BLOCK; symbol += 1) {
    const code = load<u32>(LITERAL_CODES + (symbol << 2));
    store<u32>(LITERAL_BITS + (symbol << 2), (code << 8) | load<u8>(LITERAL_LENGTHS + symbol));
  }
}

function makeLengthBits(): void {
  for (let length: usize = 3; length <= LONGEST_MATCH; length += 1) {
    const symbol = <usize>load<u8>(LENGTH_SYMBOL + length);
    const code = load<u32>(LITERAL_CODES + ((<usize>END_OF_BLOCK + 1 + symbol) << 2));
    const codeBits = <u32>load<u8>(LITERAL_LENGTHS + END_OF_BLOCK + 1 + symbol);
    const extra = <u32>length - load<u32>(LENGTH_BASE + (symbol << 2));
    const bits = codeBits + load<u8>(LENGTH_EXTRA + symbol);
    store<u32>(LENGTH_BITS + (length << 2), ((code | (extra << codeBits)) << 8) | bits);
  }
}

/** The code and the extra bits of a distance are (d << codeBits) + (code - (base << codeBits)). */
function makeDistanceBits(): void {
  for (let symbol = 0; symbol < DISTANCE_SYMBOLS; symbol += 1) {
    const codeBits = <u32>load<u8>(DISTANCE_LENGTHS + symbol);
    const added = load<u32>(DISTANCE_CODES + (symbol << 2)) - (load<u32>(DISTANCE_BASE + (symbol << 2)) << codeBits);
    const bits = codeBits + load<u8>(DISTANCE_EXTRA + symbol);
    store<u64>(DISTANCE_BITS + (symbol << 3), <u64>added | ((<u64>codeBits) << 32) | ((<u64>bits) << 40));
  }
}

function writeSymbols(): void {
  let at = output;
  let bits = pending;
  let count = pendingBits;
  let literal = LITERALS;
  for (let next = SEQUENCES; next < sequenceEnd; next += 8) {
    const sequence = load<u64>(next);
    let run = runOf(sequence);
    for (; run > 2; run -= 3) {
      const a = load<u32>((<usize>load<u8>(literal)) << 2, LITERAL_BITS);
      const b = load<u32>((<usize>load<u8>(literal, 1)) << 2, LITERAL_BITS);
      const c = load<u32>((<usize>load<u8>(literal, 2)) << 2, LITERAL_BITS);
      bits |= (<u64>(a >> 8)) << count;
      count += a & 255;
      bits |= (<u64>(b >> 8)) << count;
      count += b & 255;
      bits |= (<u64>(c >> 8)) << count;
      count += c & 255;
      store<u64>(at, bits);
      at += <usize>(count >> 3);
      bits >>= count & 56;
      count &= 7;
      literal += 3;
    }
    // None, one or two literals are left: no branch, an absent one has no bits.
    const a = select<u32>(load<u32>((<usize>load<u8>(literal)) << 2, LITERAL_BITS), 0, run > 0);
    const b = select<u32>(load<u32>((<usize>load<u8>(literal, 1)) << 2, LITERAL_BITS), 0, run > 1);
    literal += run;
    bits |= (<u64>(a >> 8)) << count;
    count += a & 255;
    bits |= (<u64>(b >> 8)) << count;
    count += b & 255;

    const length = load<u32>((<usize>lengthOf(sequence)) << 2, LENGTH_BITS);
    const distance = load<u64>((<usize>distanceSymbolOf(sequence)) << 3, DISTANCE_BITS);
    const lengthBits = <u64>(length & 255);
    const distanceBits = distance >> 40;
    if (!ASC_NO_ASSERT) assert(length >> 8 < 1 << (<u32>lengthBits) && lengthBits > 0 && distanceBits > 0);
    if (count + lengthBits + distanceBits > 63) {
      store<u64>(at, bits);
      at += <usize>(count >> 3);
      bits >>= count & 56;
      count &= 7;
    }
    bits |= (<u64>(length >> 8)) << count;
    count += lengthBits;
    const code = ((<u32>(sequence >> 32)) << (<u32>(distance >> 32) & 255)) + <u32>distance;
    bits |= (<u64>code) << count;
    count += distanceBits;
    store<u64>(at, bits);
    at += <usize>(count >> 3);
    bits >>= count & 56;
    count &= 7;
  }
  for (; literal < literalEnd; literal += 1) {
    const entry = load<u32>((<usize>load<u8>(literal)) << 2, LITERAL_BITS);
    bits |= (<u64>(entry >> 8)) << count;
    count += entry & 255;
    store<u64>(at, bits);
    at += <usize>(count >> 3);
    bits >>= count & 56;
    count &= 7;
  }
  setBits(at, bits, count);
}
