const NOTHING: Uint8Array = new Uint8Array();

/** Takes a stream's parts apart into the pieces that a parser asks for. */
export class ByteFeed implements AsyncDisposable {
  readonly #parts: AsyncIterator<Uint8Array>;
  #part: Uint8Array = NOTHING;
  #position = 0;

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** Bytes handed out or skipped so far. */
  get position(): number {
    return this.#position;
  }

  /** What is at hand, at most `most` bytes; undefined at the end of the stream. */
  async some(most: number = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    while (this.#part.length === 0) {
      const { done, value } = await this.#parts.next();
      if (done) return undefined;
      this.#part = value;
    }
    const taken = this.#part.subarray(0, most);
    this.#part = this.#part.subarray(taken.length);
    this.#position += taken.length;
    return taken;
  }

  /** `bytes` of them in one piece; fewer only at the end of the stream. */
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

  /** @returns false when the stream ends before. */
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
