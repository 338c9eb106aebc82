/** Bytes that wait in memory until the registry has taken them; twice as many while the next ones are gathered. */
export const PART_BYTES: number = 8 * 1024 * 1024;

export interface Part {
  readonly part: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Parts of equal length, but for the last. They take turns in two buffers: one is filled while the other is being sent,
 * and must have been when the next part is asked for.
 */
export async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Part, undefined> {
  let buffer: Uint8Array = Buffer.allocUnsafeSlow(PART_BYTES);
  let other: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length; ) {
      // Kept back until more comes: the last part must be known as such.
      if (filled === buffer.length) {
        yield { part: buffer, isLast: false };
        [buffer, other] = [other ?? Buffer.allocUnsafeSlow(PART_BYTES), buffer];
        filled = 0;
      }
      const step = Math.min(buffer.length - filled, piece.length - taken);
      buffer.set(piece.subarray(taken, taken + step), filled);
      filled += step;
      taken += step;
    }
  }
  yield { part: buffer.subarray(0, filled), isLast: true };
  return undefined;
}

/** Parts together, until they make the least chunk that the registry takes. */
export async function longEnough(
  { part, isLast }: Part,
  parts: AsyncGenerator<Part, undefined>,
  least: number,
): Promise<Uint8Array> {
  if (isLast || part.length >= least) return part;
  const pieces = [Uint8Array.from(part)];
  for (let bytes = part.length; bytes < least; ) {
    const next = await parts.next();
    if (next.done) break;
    pieces.push(Uint8Array.from(next.value.part));
    bytes += next.value.part.length;
  }
  return Buffer.concat(pieces);
}
