/** Bytes and where they go in a file. */
export interface PlacedBytes {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** A write costs more than copying so many bytes. */
const JOINED_BYTES = 64 * 1024;

/** The same bytes in fewer writes: neighbours are one, as long as they are small. */
export function* joinWrites(pieces: Iterable<PlacedBytes>): Generator<PlacedBytes> {
  let run: PlacedBytes[] = [];
  let length = 0;
  let end = 0;
  const joined = function* (): Generator<PlacedBytes> {
    const [first, ...others] = run;
    if (first !== undefined)
      yield others.length === 0 ? first : { ...first, bytes: Buffer.concat(run.map(({ bytes }) => bytes)) };
    run = [];
    length = 0;
  };
  for (const piece of pieces) {
    const { position, bytes } = piece;
    if (position !== end || length + bytes.length > JOINED_BYTES) yield* joined();
    run.push(piece);
    length += bytes.length;
    end = position + bytes.length;
  }
  yield* joined();
}
