/** Bytes that are left in each of many volumes. The first one with enough is found without a look at all. */
export class RoomTree {
  /** The room of volume i is at `#leaves + i`, and the most of what is below at each i before that. */
  readonly #most: Float64Array;
  readonly #leaves: number;

  constructor(count: number, room: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, count)));
    this.#most = new Float64Array(2 * this.#leaves).fill(-1);
    this.#most.fill(room, this.#leaves, this.#leaves + count);
    for (let at = this.#leaves - 1; at > 0; at -= 1) this.#update(at);
  }

  roomOf(volume: number): number {
    return this.#most[this.#leaves + volume] ?? -1;
  }

  set(volume: number, room: number): void {
    let at = this.#leaves + volume;
    this.#most[at] = room;
    for (at >>= 1; at > 0; at >>= 1) this.#update(at);
  }

  /** @param from the first one that may be found. @returns -1 if there is none. */
  firstWith(room: number, from = 0): number {
    let at = this.#leaves + from;
    if (from >= this.#leaves) return -1;
    // To the right and up, until there is one below.
    while (this.#at(at) < room) {
      while (at % 2 === 1) at >>= 1;
      if (at === 0) return -1;
      at += 1;
    }
    while (at < this.#leaves) at = this.#at(2 * at) >= room ? 2 * at : 2 * at + 1;
    return at - this.#leaves;
  }

  /** The first of those with the most room. */
  roomiest(): number {
    return this.firstWith(this.#at(1));
  }

  #at(index: number): number {
    return this.#most[index] ?? -1;
  }

  #update(at: number): void {
    this.#most[at] = Math.max(this.#at(2 * at), this.#at(2 * at + 1));
  }
}
