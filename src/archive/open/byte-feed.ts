const NOTHING: Uint8Array = new Uint8Array();

/** Splits the parts of a stream into the pieces that a parser asks for. */
export class ByteFeed implements AsyncDisposable {
  readonly #parts: AsyncIterator<Uint8Array>;
  #part: Uint8Array = NOTHING;
  #position = 0;

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** Bytes returned or skipped so far. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, at most `maxBytes`; undefined at the end of the stream. */
  async some(maxBytes: number = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    while (this.#part.length === 0) {
      const { done, value } = await this.#parts.next();
      if (done) return undefined;
      this.#part = value;
    }
    const taken = this.#part.subarray(0, maxBytes);
    this.#part = this.#part.subarray(taken.length);
    this.#position += taken.length;
    return taken;
  }

  /** The next `bytes` bytes in one piece; fewer only at the end of the stream. */
  async exactly(bytes: number): Promise<Uint8Array> {
    const first = (await this.some(bytes)) ?? NOTHING;
    if (first.length === bytes) return first;
    const pieces = [first];
    for (let missing = bytes - first.length; missing > 0; ) {
      const next = await this.some(missing);
      if (next === undefined) break;
      pieces.push(next);
      missing -= next.length;
    }
    return Buffer.concat(pieces);
  }

  /** @returns false if the stream ends before `position`. */
  async skipTo(position: number): Promise<boolean> {
    while (this.#position < position) {
      if ((await this.some(position - this.#position)) === undefined) return false;
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.return?.();
  }
}
