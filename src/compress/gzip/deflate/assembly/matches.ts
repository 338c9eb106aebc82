// What both parsers ask about two positions in the input.

/** The distance to the candidate whose low 16 bits are `entry`, negated: -32768 to -1, so it is always in the window. */
export function offsetTo(entry: u32, position: usize): i32 {
  return <i32>((entry - <u32>position) | 0xffff8000);
}

/** The number of equal bytes, 0 to 16. */
export function equalBytes(a: v128, b: v128): u32 {
  return ctz<u32>(~(<u32>i8x16.bitmask(i8x16.eq(a, b))));
}

/** The number of equal bytes at `position` and `offset` from it; may pass `end` by up to 15. */
export function matchLength(position: usize, offset: i32, end: usize): usize {
  const length = <usize>equalBytes(v128.load(position), v128.load(position + offset));
  return length < 16 ? length : longMatchLength(position, offset, end);
}

function longMatchLength(position: usize, offset: i32, end: usize): usize {
  for (let at = position + 16; at < end; at += 16) {
    const length = equalBytes(v128.load(at), v128.load(at + offset));
    if (length < 16) return at + length - position;
  }
  return end - position;
}
