import { equalBytes, matchLength, offsetTo } from "./matches.ts";
import { HASH_TABLE, INPUT, LITERALS, SEQUENCES, WINDOW_BYTES } from "./memory.ts";
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

/** A u64 per hash of 4 bytes: the last four positions that had it, the newest in the low 16 bits. */
const HASH_BITS: u32 = 14;
/** The search takes longer steps in literals: one byte more per 512 since the last match. */
const SKIP_SHIFT: usize = 9;
/** Positions this close to the end of the input are not remembered: their hash would take in what is after it. */
const END_BYTES: usize = 16;
/** Inside a match, this many positions are remembered from its start, and the last two. */
const REMEMBERED_BYTES: usize = 64;

function bucketOf(position: usize): usize {
  return HASH_TABLE + <usize>(((load<u32>(position) * 0x9e3779b1) >> (32 - HASH_BITS)) << 3);
}

function remember(position: usize): void {
  const bucket = bucketOf(position);
  store<u64>(bucket, (load<u64>(bucket) << 16) | <u64>(position & 0xffff));
}

/** A candidate as one number, the better the larger: equal bytes shifted left by 16, less the distance. */
function candidate(here: v128, position: usize, entry: u32): i32 {
  const offset = offsetTo(entry, position);
  return <i32>(equalBytes(here, v128.load(position + offset)) << 16) + offset;
}

/** A class, because only its methods may ask to be copied into the loop: calls cost an eighth of the speed. */
class Candidates {
  /** The best of the four candidates for a position, which is remembered. */
  @inline
  static best(position: usize): i32 {
    const bucket = bucketOf(position);
    const entries = load<u64>(bucket);
    store<u64>(bucket, (entries << 16) | <u64>(position & 0xffff));
    const here = v128.load(position);
    const a = candidate(here, position, <u32>entries);
    const b = candidate(here, position, <u32>(entries >> 16));
    const c = candidate(here, position, <u32>(entries >> 32));
    const d = candidate(here, position, <u32>(entries >> 48));
    return max<i32>(max<i32>(a, b), max<i32>(c, d));
  }
}

function equalBytesOf(candidate: i32): i32 {
  return (candidate + <i32>WINDOW_BYTES) >> 16;
}

function offsetOf(candidate: i32): i32 {
  return <i32>(<i16>candidate);
}

/**
 * Parses the block from `start` to `end` of a member that ends at `inputEnd`. Four candidates per position, the better
 * of three positions wins.
 */
export function parseSmall(start: usize, end: usize, inputEnd: usize): void {
  const searchEnd = min(end - SHORTEST_MATCH, inputEnd - END_BYTES);
  let sequences = SEQUENCES;
  let literals = LITERALS;
  let runStart = start;
  // The first byte of a member has nothing before it.
  let position = start === INPUT ? start + 1 : start;
  while (position < searchEnd) {
    const best0 = Candidates.best(position);
    const best1 = Candidates.best(position + 1);
    if (equalBytesOf(max<i32>(best0, best1)) < <i32>SHORTEST_MATCH) {
      position += 2 + ((position - runStart) >> SKIP_SHIFT);
      continue;
    }
    const best2 = Candidates.best(position + 2);

    // A later match must be longer by a byte per literal that it costs.
    const bytes0 = equalBytesOf(best0) + 2;
    const bytes1 = equalBytesOf(best1) + 1;
    const bytes2 = equalBytesOf(best2);
    const isSecond = bytes1 >= bytes0;
    const isThird = bytes2 >= select<i32>(bytes1, bytes0, isSecond);
    const offset = offsetOf(select<i32>(best2, select<i32>(best1, best0, isSecond), isThird));
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

    const rememberEnd = min(next, inputEnd - END_BYTES);
    const stop = min(position + REMEMBERED_BYTES, rememberEnd);
    for (let inside = position + 3; inside < stop; inside += 1) remember(inside);
    for (let last = max(stop, next - 2); last < rememberEnd; last += 1) remember(last);
    runStart = next;
    position = next;
  }
  const run = end - runStart;
  copyRun(literals, runStart, run);
  endBlock(literals + run, sequences);
}
