// Bits that are not written yet, the next one lowest. Loops keep them in locals; here they are between two loops.

export let output: usize = 0;
export let pending: u64 = 0;
/** Their number: at most 7 between two writes, so 56 more fit. */
export let pendingBits: u64 = 0;

export function setBits(at: usize, bits: u64, count: u64): void {
  output = at;
  pending = bits;
  pendingBits = count;
}

/** Writes at most 56 bits. */
export function writeBits(value: u64, count: u32): void {
  pending |= value << pendingBits;
  pendingBits += count;
  store<u64>(output, pending);
  output += <usize>(pendingBits >> 3);
  pending >>= pendingBits & 56;
  pendingBits &= 7;
}

/** Fills the current byte with zeros. */
export function alignToByte(): void {
  if (pendingBits > 0) writeBits(0, 8 - <u32>pendingBits);
}
