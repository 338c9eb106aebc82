import { matchLength, offsetTo } from "./matches.ts";
import { HASH_TABLE, INPUT, LITERALS, NOWHERE, SEQUENCES } from "./memory.ts";
import {
  addLongMatch,
  checkMatch,
  copyRun,
  endBlock,
  LONGEST_MATCH,
  longMatchEnd,
  SHORTEST_MATCH,
  sequence,
} from "./sequences.ts";

/** A u16 per hash of 5 bytes: the position that had it last. */
const HASH_BITS: u64 = 16;
/** The search takes longer steps in literals: one byte more per 128 since the last match. */
const SKIP_SHIFT: usize = 7;
/** Positions this close to the end of the input are not remembered: their hash would take in what is after it. */
const END_BYTES: usize = 16;

/** The address of the entry for the 5 bytes at the low end of `word`. */
function entryOf(word: u64): usize {
  return HASH_TABLE + <usize>((((word << 24) * 0x9e3779b185ebca87) >> (64 - HASH_BITS)) << 1);
}

function remember(position: usize, isWanted: bool): void {
  store<u16>(select<usize>(entryOf(load<u64>(position)), NOWHERE, isWanted), position);
}

/** Equal low bytes of two words, in bits: 0 to 64. */
function equalBits(difference: u64): u32 {
  return <u32>ctz<u64>(difference) & 0x78;
}

/**
 * Parses the block from `start` to `end` of a member that ends at `inputEnd`. One candidate per position, the better of
 * three positions wins.
 */
export function parseFast(start: usize, end: usize, inputEnd: usize): void {
  const searchEnd = min(end - SHORTEST_MATCH, inputEnd - END_BYTES);
  let sequences = SEQUENCES;
  let literals = LITERALS;
  let runStart = start;
  // The first byte of a member has nothing before it.
  let position = start === INPUT ? start + 1 : start;
  while (position < searchEnd) {
    const word0 = load<u64>(position);
    const word1 = load<u64>(position, 1);
    const entry0 = entryOf(word0);
    const offset0 = offsetTo(load<u16>(entry0), position);
    store<u16>(entry0, position);
    const entry1 = entryOf(word1);
    const offset1 = offsetTo(load<u16>(entry1), position + 1);
    store<u16>(entry1, position + 1);
    const difference0 = word0 ^ load<u64>(position + offset0);
    const difference1 = word1 ^ load<u64>(position + offset1, 1);
    // One branch for "neither": the low words differ in both.
    if (min<u32>(<u32>difference0, <u32>difference1) !== 0) {
      position += 2 + ((position - runStart) >> SKIP_SHIFT);
      continue;
    }
    const word2 = load<u64>(position, 2);
    const entry2 = entryOf(word2);
    const offset2 = offsetTo(load<u16>(entry2), position + 2);
    store<u16>(entry2, position + 2);
    const difference2 = word2 ^ load<u64>(position + offset2, 2);

    // A later match must be longer by a byte per literal that it costs.
    const bits0 = equalBits(difference0) + 16;
    const bits1 = equalBits(difference1) + 8;
    const bits2 = equalBits(difference2);
    const isSecond = bits1 >= bits0;
    const best = select<u32>(bits1, bits0, isSecond);
    const isThird = bits2 >= best;
    const offset = select<i32>(offset2, select<i32>(offset1, offset0, isSecond), isThird);
    const at = position + select<usize>(2, <usize>isSecond, isThird);

    const length = min(matchLength(at, offset, end), end - at);
    const run = at - runStart;
    const d = ~offset;
    checkMatch(at, length, d, end);
    copyRun(literals, runStart, run);
    literals += run;
    let next = at + length;
    if (length <= LONGEST_MATCH) {
      store<u64>(sequences, sequence(run, length, d));
      sequences += 8;
    } else {
      next = addLongMatch(sequences, run, at, length, d);
      sequences = longMatchEnd;
    }

    // No loop, no branch: three positions after the probed ones, and the last two of the match.
    remember(position + 3, position + 3 < next);
    remember(position + 4, position + 4 < next);
    remember(position + 5, position + 5 < next);
    const isFarFromEnd = next + END_BYTES <= inputEnd;
    remember(next - 2, isFarFromEnd);
    remember(next - 1, isFarFromEnd);
    runStart = next;
    position = next;
  }
  const run = end - runStart;
  copyRun(literals, runStart, run);
  endBlock(literals + run, sequences);
}
