import { createHash, type Hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { InternalError } from "../errors.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { ThreadHash } from "./thread-hash.ts";

// Below this size a thread costs more than it saves.
const INLINE_BYTES = 1024 * 1024;
/**
 * Bytes per millisecond. A processor with instructions for SHA-256 hashes faster: there, handing a chunk to a thread costs
 * more than half of hashing it here, where it is still in the cache.
 */
const FAST_RATE = 800_000;
/** To start a thread takes as long as hashing some megabytes. */
const PARALLEL_BYTES = 16 * 1024 * 1024;
const PROBE_BYTES = 64 * 1024;
const PROBES = 4;

/** A hash that is fed chunk by chunk, in order. */
export interface BlobHash {
  /** The chunk must not change until the promise settles. Calls may overlap; their order is kept. */
  update(chunk: Uint8Array): Promise<void>;
  digest(): Promise<Digest>;
  /** Frees the hash if no digest is needed. */
  drop(): Promise<void>;
}

/** Hashes on this thread. */
export class InlineHash implements BlobHash {
  readonly #algorithm: DigestAlgorithm;
  #hash: Hash | undefined;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#running().update(chunk);
  }

  async digest(): Promise<Digest> {
    const hash = this.#running();
    this.#hash = undefined;
    return `${this.#algorithm}:${hash.digest("hex")}`;
  }

  async drop(): Promise<void> {
    this.#hash = undefined;
  }

  #running(): Hash {
    if (this.#hash === undefined) throw new InternalError("Cannot hash blob: the running hash is lost");
    return this.#hash;
  }
}

const rates = new Map<DigestAlgorithm, number>();

/** Bytes per millisecond on this thread: the best of a few probes, because other processes may slow down some of them. */
function hashRate(algorithm: DigestAlgorithm): number {
  const known = rates.get(algorithm);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(PROBE_BYTES);
  let best = Number.POSITIVE_INFINITY;
  for (let probe = 0; probe < PROBES; probe += 1) {
    const start = performance.now();
    createHash(algorithm).update(bytes).digest();
    best = Math.min(best, performance.now() - start);
  }
  const rate = PROBE_BYTES / best;
  rates.set(algorithm, rate);
  return rate;
}

/** @param bytes expected size; only decides whether to use a thread. */
export function createBlobHash(algorithm: DigestAlgorithm, bytes: number): BlobHash {
  const isInline = bytes <= INLINE_BYTES || availableParallelism() === 1 || hashRate(algorithm) >= FAST_RATE;
  return isInline ? new InlineHash(algorithm) : new ThreadHash(algorithm);
}

/**
 * A hash beside other work of this thread, such as sending what is hashed: that gains also where handing over costs much.
 *
 * @param bytes expected size; only decides whether to use a thread.
 */
export function createParallelHash(algorithm: DigestAlgorithm, bytes: number): BlobHash {
  const isInline = bytes <= PARALLEL_BYTES || availableParallelism() === 1;
  return isInline ? new InlineHash(algorithm) : new ThreadHash(algorithm);
}
