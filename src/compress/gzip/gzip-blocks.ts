import { availableParallelism } from "node:os";
import { ThreadPool } from "../../util/thread-pool.ts";
import type { GzipProfile } from "./gzip-profile.ts";

// The sha256 of a layer, on one thread, keeps pace with about eight compressing threads; more would only wait.
const MAX_THREADS = 8;

// By level.
const pools = new Map<number, ThreadPool>();
const writers = new Map<number, Promise<(block: Uint8Array, target: Uint8Array) => number>>();

/**
 * Compresses a block to a gzip member on a worker thread. Concatenated in the order of the blocks, members are a gzip file
 * (RFC 1952 section 2.2).
 *
 * @param block at most GZIP_BLOCK_BYTES in shared memory; it must not change until the promise settles.
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

/** The same output as `gzipBlock`, made on this thread: for a layer that is too small for a worker thread. */
export async function gzipBlockHere(block: Uint8Array, target: Uint8Array, profile: GzipProfile): Promise<Uint8Array> {
  let writer = writers.get(profile.level);
  if (writer === undefined) {
    writer = import("./gzip-member.mjs").then(async ({ memberWriter }) => await memberWriter(profile.level));
    writers.set(profile.level, writer);
  }
  return target.subarray(0, (await writer)(block, target));
}
