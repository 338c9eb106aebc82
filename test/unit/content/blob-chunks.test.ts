import { afterEach, describe, expect, test } from "vitest";
import { blobChunks, mapChunks } from "../../../src/content/blob-chunks.ts";
import { CHUNK_BYTES, CHUNKS_PER_BLOB, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource } from "../../../src/content/contracts.ts";
import { verified } from "../../../src/content/verified.ts";
import { deferred } from "../../../src/util/promises.ts";
import { collect, noise, partsBlob, sha256Of, turns } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const bytes = noise(6 * CHUNK_BYTES + 10);
const manyParts = (): BlobSource => partsBlob(bytes, 300_000);

describe("blobChunks()", () => {
  test("gives the blob", async () => {
    expect(Buffer.from(bytes).equals(await collect(blobChunks(manyParts())))).toBe(true);
  });

  test("lets a reader leave early, at any chunk", async () => {
    for (let wanted = 1; wanted <= 7; wanted += 1) {
      let got = 0;
      for await (const _chunk of blobChunks(manyParts())) {
        got += 1;
        if (got === wanted) break;
      }
      expect(got).toBe(wanted);
      expect(sharedChunks.lentChunks).toBe(0);
    }
  });

  test("lets a reader leave before the first chunk", async () => {
    const chunks = blobChunks(manyParts());
    await chunks.return();
    expect((await chunks.next()).done).toBe(true);
  });

  test("lets a reader throw", async () => {
    const reading = (async () => {
      for await (const _chunk of blobChunks(manyParts())) throw new Error("connection reset");
    })();
    await expect(reading).rejects.toThrow("connection reset");
  });

  test("throws what broke the source, after the chunks before it", async () => {
    let got = 0;
    const reading = (async () => {
      const broken = partsBlob(bytes, 300_000, { breaksWith: new Error("cable pulled") });
      for await (const chunk of blobChunks(broken)) got += chunk.length;
    })();
    await expect(reading).rejects.toThrow("cable pulled");
    expect(got).toBe(6 * CHUNK_BYTES);
  });

  test("ends with the reason when the signal aborts while the source stalls", async () => {
    const stop = new AbortController();
    const reading = collect(blobChunks(partsBlob(bytes, 300_000, { stalls: true }), stop.signal));
    const failed = expect(reading).rejects.toThrow("interrupted");
    await turns(50);
    stop.abort(new Error("interrupted"));
    await failed;
  });

  test("ends with the digest's fault when the blob is not what it should be", async () => {
    const descriptor = { mediaType: "x", digest: sha256Of(noise(5)), size: bytes.length };
    const reading = collect(blobChunks(verified(descriptor, manyParts(), "the test")));
    await expect(reading).rejects.toThrow(`expected ${descriptor.digest}`);
  });

  test("drops what a source sends on after its reader has left", async () => {
    const late: BlobSource = {
      size: 2,
      open: async () => await Promise.reject(new Error("is pumped")),
      async pump(sink) {
        await sink(new Uint8Array(1), 0);
        await sink(new Uint8Array(1), 1);
      },
    };
    for await (const _chunk of blobChunks(late)) break;
  });
});

describe("mapChunks()", () => {
  test("gives results in order though later ones are ready first", async () => {
    const gates = Array.from({ length: 7 }, () => deferred<void>());
    const results: number[] = [];
    const reading = (async () => {
      const mapped = mapChunks(manyParts(), async (_chunk, position) => {
        await gates[position / CHUNK_BYTES]?.promise;
        return new Uint8Array([position / CHUNK_BYTES]);
      });
      for await (const [index = -1] of mapped) results.push(index);
    })();
    await turns(50);
    for (const gate of gates.slice(1)) gate.resolve();
    await turns(50);
    expect(results).toEqual([]);
    gates[0]?.resolve();
    await reading;
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test("maps several chunks at once, and no more than one blob's share before a reader takes them", async () => {
    let mapped = 0;
    const chunks = mapChunks(manyParts(), async chunk => {
      mapped += 1;
      return chunk;
    });
    await chunks.next();
    await turns(50);
    expect(mapped).toBe(CHUNKS_PER_BLOB);
    await chunks.return();
  });

  test("throws what a map threw, when all others have ended", async () => {
    let ended = 0;
    const reading = collect(
      mapChunks(manyParts(), async (chunk, position) => {
        if (position === CHUNK_BYTES) throw new Error("thread died");
        await turns(3);
        ended += 1;
        return chunk;
      }),
    );
    await expect(reading).rejects.toThrow("thread died");
    const endedThen = ended;
    await turns(10);
    expect(ended).toBe(endedThen);
  });

  test("waits for maps under way when its reader leaves, since they work on the pool's memory", async () => {
    let underWay = 0;
    const chunks = mapChunks(manyParts(), async (chunk, position) => {
      underWay += 1;
      if (position > 0) await turns(10);
      underWay -= 1;
      return chunk;
    });
    await chunks.next();
    await chunks.return();
    expect(underWay).toBe(0);
  });
});
