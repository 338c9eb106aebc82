import { DISTANCE_SYMBOL, INPUT, WINDOW_BYTES } from "./memory.ts";

/*
 * A parser turns a deflate block into literals, one after the other, and sequences: a run of literals, then a match.
 * A sequence is a u64: run in 16 bits, match length in 9, distance symbol in 5, and from bit 32 on d = distance - 1.
 */

export const SHORTEST_MATCH: usize = 4;
export const LONGEST_MATCH: usize = 258;

// A parser's results: the ends of what it wrote.
export let literalEnd: usize = 0;
export let sequenceEnd: usize = 0;

export function endBlock(literals: usize, sequences: usize): void {
  literalEnd = literals;
  sequenceEnd = sequences;
}

export function sequence(run: usize, length: usize, d: u32): u64 {
  const symbol = load<u8>(select<u32>(d, 256 + (d >> 7), d < 256), DISTANCE_SYMBOL);
  return <u64>(run | (length << 16) | ((<u32>symbol) << 25)) | ((<u64>d) << 32);
}

export function runOf(sequence: u64): u32 {
  return <u32>sequence & 0xffff;
}

export function lengthOf(sequence: u64): u32 {
  return (<u32>sequence >> 16) & 511;
}

export function distanceSymbolOf(sequence: u64): u32 {
  return <u32>sequence >> 25;
}

/** Copies a run of literals; writes up to 15 bytes more. */
export function copyRun(target: usize, source: usize, run: usize): void {
  v128.store(target, v128.load(source));
  if (run > 16) copyLongRun(target, source, run);
}

function copyLongRun(target: usize, source: usize, run: usize): void {
  for (let done: usize = 16; done < run; done += 16) v128.store(target + done, v128.load(source + done));
}

/**
 * A match that one sequence cannot hold. A rest below 3 bytes is left to the search.
 * @returns the end of the bytes that are part of a match.
 */
export function addLongMatch(sequences: usize, run: usize, at: usize, length: usize, d: u32): usize {
  const end = at + length;
  let position = at;
  let literals = run;
  while (end - position >= 3) {
    const part = min(end - position, LONGEST_MATCH);
    store<u64>(sequences, sequence(literals, part, d));
    sequences += 8;
    position += part;
    literals = 0;
  }
  longMatchEnd = sequences;
  return position;
}

/** Where the sequences of the last long match end. */
export let longMatchEnd: usize = 0;

/** In the checked build: traps if a match reaches outside the window or refers to other bytes. */
export function checkMatch(at: usize, length: usize, d: u32, end: usize): void {
  if (!ASC_NO_ASSERT) {
    const from = at - d - 1;
    assert(d < <u32>WINDOW_BYTES);
    assert(from >= INPUT && from < at);
    assert(length >= 3 && at + length <= end);
    for (let index: usize = 0; index < length; index += 1) assert(load<u8>(from + index) === load<u8>(at + index));
  }
}
