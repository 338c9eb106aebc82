import { describe, expect, test } from "vitest";
import { ChunkPool } from "../../../../src/content/chunks/chunk-pool.ts";
import { turns } from "../../../support/memory-blobs.ts";

describe("ChunkPool", () => {
  test("lends as many chunks as it has, and no more", () => {
    const pool = new ChunkPool(2, 100);
    expect([pool.tryAcquire()?.length, pool.tryAcquire()?.length, pool.tryAcquire()]).toEqual([100, 100, undefined]);
    expect(pool.lentChunks).toBe(2);
  });

  test("uses the memory of a returned chunk again", async () => {
    const pool = new ChunkPool(1, 100);
    const chunk = await pool.acquire();
    pool.release(chunk);
    expect(pool.lentChunks).toBe(0);
    expect((await pool.acquire()).buffer).toBe(chunk.buffer);
  });

  test("serves those who wait in the order in which they came", async () => {
    const pool = new ChunkPool(1, 10);
    const chunk = await pool.acquire();
    const served: string[] = [];
    const waiting = ["first", "second"].map(async name => {
      const mine = await pool.acquire();
      served.push(name);
      pool.release(mine);
    });
    pool.release(chunk);
    await Promise.all(waiting);
    expect(served).toEqual(["first", "second"]);
    expect(pool.lentChunks).toBe(0);
  });

  test("forgets who stopped waiting", async () => {
    const pool = new ChunkPool(1, 10);
    const chunk = await pool.acquire();
    const stop = new AbortController();
    const gone = expect(pool.acquire(stop.signal)).rejects.toThrow("interrupted");
    const patient = pool.acquire();
    stop.abort(new Error("interrupted"));
    await gone;
    pool.release(chunk);
    pool.release(await patient);
    expect(pool.lentChunks).toBe(0);
  });

  test("loses no chunk to one who stops waiting in the moment it is given", async () => {
    for (const isAbortFirst of [true, false]) {
      const pool = new ChunkPool(1, 10);
      const chunk = await pool.acquire();
      const stop = new AbortController();
      const waiting = pool.acquire(stop.signal).then(
        mine => pool.release(mine),
        () => undefined,
      );
      if (isAbortFirst) stop.abort();
      pool.release(chunk);
      stop.abort();
      await waiting;
      await turns(2);
      expect(pool.lentChunks).toBe(0);
      expect(pool.tryAcquire()).toBeDefined();
    }
  });

  test("gives a chunk a spare part that overlaps nothing and has room for what does not shrink", () => {
    const pool = new ChunkPool(2, 1024 * 1024);
    const [one, two] = [pool.tryAcquire(), pool.tryAcquire()];
    if (one === undefined || two === undefined) throw new Error("the pool is empty");
    pool.spare(one).fill(7);
    expect(one.every(byte => byte === 0)).toBe(true);
    expect(pool.spare(two)[0]).toBe(0);
    expect(pool.spare(one).length).toBeGreaterThanOrEqual(1024 * 1024 + 18 + 17 * 5);
    expect(one.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
