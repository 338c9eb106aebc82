import { createHash, type Hash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { ThreadPool } from "../util/thread-pool.ts";

// Below this size a thread costs more than it saves.
const INLINE_BYTES = 1024 * 1024;
const MAX_THREADS = 4;

/** A hash that is fed chunk by chunk, in order. */
export interface BlobHash {
  /** The chunk must not change until the promise settles. Calls may overlap; their order is kept. */
  update(chunk: Uint8Array): Promise<void>;
  digest(): Promise<Digest>;
  /** Frees the hash if no digest is needed. */
  drop(): Promise<void>;
}

class InlineHash implements BlobHash {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Digest> {
    return `${this.#algorithm}:${this.#hash.digest("hex")}`;
  }

  async drop(): Promise<void> {}
}

let threads: ThreadPool | undefined;
let nextStream = 0;

class ThreadHash implements BlobHash {
  readonly #algorithm: DigestAlgorithm;
  readonly #stream = nextStream++;
  #isStarted = false;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
  }

  async update(chunk: Uint8Array): Promise<void> {
    await this.#run("update", chunk);
  }

  async digest(): Promise<Digest> {
    return `${this.#algorithm}:${String(await this.#run("digest"))}`;
  }

  async drop(): Promise<void> {
    // A thread that stopped has freed it already.
    if (this.#isStarted) await this.#run("drop").catch(() => undefined);
  }

  async #run(op: "update" | "digest" | "drop", chunk?: Uint8Array): Promise<unknown> {
    threads ??= new ThreadPool(
      new URL("./hash-thread.mjs", import.meta.url),
      Math.min(availableParallelism(), MAX_THREADS),
    );
    const message = { stream: this.#stream, algorithm: this.#algorithm, op, chunk, isFirst: !this.#isStarted };
    this.#isStarted = true;
    return await threads.run(message, { lane: this.#stream });
  }
}

/** @param bytes expected size; only decides whether to use a thread. */
export function createBlobHash(algorithm: DigestAlgorithm, bytes: number): BlobHash {
  return bytes <= INLINE_BYTES ? new InlineHash(algorithm) : new ThreadHash(algorithm);
}
