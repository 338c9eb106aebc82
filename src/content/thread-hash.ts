import { availableParallelism } from "node:os";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { ThreadPool } from "../util/thread-pool.ts";

const MAX_THREADS = 4;

let threads: ThreadPool | undefined;
let nextStream = 0;

/** A BlobHash on another thread, for processors on which that takes longer than handing chunks over. */
export class ThreadHash {
  readonly #algorithm: DigestAlgorithm;
  readonly #stream = nextStream++;
  #isStarted = false;
  /** Chunks for the next message, and the message: one at a time, so that chunks that come meanwhile share the next one. */
  #waiting: Uint8Array[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#waiting.push(chunk);
    this.#next ??= this.#sendAfter(this.#last);
    this.#last = this.#next;
    await this.#next;
  }

  async digest(): Promise<Digest> {
    await this.#last;
    return `${this.#algorithm}:${String(await this.#run("digest"))}`;
  }

  async drop(): Promise<void> {
    await this.#last.catch(() => undefined);
    // A thread that stopped has freed it already.
    if (this.#isStarted) await this.#run("drop").catch(() => undefined);
  }

  async #sendAfter(before: Promise<void>): Promise<void> {
    await before;
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    await this.#run("update", chunks);
  }

  async #run(op: "update" | "digest" | "drop", chunks: readonly Uint8Array[] = []): Promise<unknown> {
    threads ??= new ThreadPool(
      new URL("./hash-thread.mjs", import.meta.url),
      Math.min(availableParallelism(), MAX_THREADS),
    );
    const message = { stream: this.#stream, algorithm: this.#algorithm, op, chunks, isFirst: !this.#isStarted };
    this.#isStarted = true;
    return await threads.run(message, { lane: this.#stream });
  }
}
