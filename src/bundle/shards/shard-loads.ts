import { append } from "../../util/append.ts";

/** Images that go to one shard together, in numbers: a smaller blob has a higher number. */
export interface Piece {
  readonly images: readonly number[];
  /** Of all of them, each once. */
  readonly blobs: readonly number[];
  /** Of the blobs and the images. */
  readonly cost: number;
}

/** What each shard has to send while images are spread over them. */
export class ShardLoads {
  readonly images: readonly number[][];
  readonly blobs: readonly Set<number>[];
  readonly #costs: number[];
  readonly #blobCosts: readonly number[];
  readonly #imageCost: number;
  /** A heap of the shards: each has less than those at 2i + 1 and 2i + 2. */
  readonly #heap: number[];

  constructor(of: number, blobCosts: readonly number[], imageCost: number) {
    this.images = Array.from({ length: of }, () => []);
    this.blobs = this.images.map(() => new Set());
    this.#costs = this.images.map(() => 0);
    this.#heap = [...this.images.keys()];
    this.#blobCosts = blobCosts;
    this.#imageCost = imageCost;
  }

  get lightest(): number {
    return this.#heap[0] ?? 0;
  }

  /** What the lightest shard would have with a piece. */
  costWith({ images, blobs }: Piece): number {
    const own = this.blobs[this.lightest];
    const start = (this.#costs[this.lightest] ?? 0) + images.length * this.#imageCost;
    return blobs.reduce((sum, blob) => (own?.has(blob) === true ? sum : sum + (this.#blobCosts[blob] ?? 0)), start);
  }

  /** Gives a piece to the lightest shard, which stays the one to give to until `next` is called. */
  put(piece: Piece): void {
    this.#costs[this.lightest] = this.costWith(piece);
    append(this.images[this.lightest] ?? [], piece.images);
    for (const blob of piece.blobs) this.blobs[this.lightest]?.add(blob);
  }

  /** Looks for the shard that is the lightest now. */
  next(): void {
    for (let at = 0; ; ) {
      const least = [2 * at + 1, 2 * at + 2].reduce((best, child) => (this.#isLess(child, best) ? child : best), at);
      if (least === at) return;
      const [here = 0, there = 0] = [this.#heap[at], this.#heap[least]];
      this.#heap[at] = there;
      this.#heap[least] = here;
      at = least;
    }
  }

  #isLess(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return false;
    const difference = (this.#costs[one] ?? 0) - (this.#costs[other] ?? 0);
    return difference < 0 || (difference === 0 && one < other);
  }
}
