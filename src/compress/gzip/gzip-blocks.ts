import { availableParallelism } from "node:os";
import { ThreadPool } from "../../util/thread-pool.ts";
import type { GzipProfile } from "./gzip-profile.ts";

// One thread's sha256 of a layer keeps pace with about eight deflating threads; more would only wait.
const MAX_THREADS = 8;

const pools = new Map<number, ThreadPool>();

/**
 * Compresses one block to one gzip member on a worker thread. Members concatenated in block order are one gzip file
 * (RFC 1952 section 2.2).
 *
 * @param block at most GZIP_BLOCK_BYTES, in shared memory; it must not change until the promise settles.
 * @param target shared memory with room for the block and 1 KiB more.
 * @returns the part of `target` that the member fills.
 */
export async function gzipBlock(block: Uint8Array, target: Uint8Array, profile: GzipProfile): Promise<Uint8Array> {
  let pool = pools.get(profile.level);
  if (pool === undefined) {
    const threads = Math.min(availableParallelism(), MAX_THREADS);
    pool = new ThreadPool(new URL("./gzip-thread.mjs", import.meta.url), threads, { level: profile.level });
    pools.set(profile.level, pool);
  }
  return target.subarray(0, Number(await pool.run({ block, target })));
}

/** The same bytes as `gzipBlock`, on this thread: for a layer too small to be worth starting one. */
export async function gzipBlockHere(block: Uint8Array, target: Uint8Array, profile: GzipProfile): Promise<Uint8Array> {
  const { gzipMember } = await import("./gzip-member.mjs");
  return target.subarray(0, gzipMember(block, profile.level, target));
}
