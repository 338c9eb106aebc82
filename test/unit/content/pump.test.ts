import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { bytesBlob } from "../../../src/content/blob.ts";
import { CHUNK_BYTES, CHUNKS_PER_BLOB, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource, ByteRange } from "../../../src/content/contracts.ts";
import { pumpBlob, readBlob, spliced } from "../../../src/content/pump.ts";
import { IntegrityError } from "../../../src/errors.ts";
import { deferred } from "../../../src/util/promises.ts";
import { collect, noise, partsBlob, turns } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

describe("pumpBlob()", () => {
  const sizes = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES];

  test.each(sizes)("passes %i bytes on in order, all chunks but the last one full", async size => {
    const bytes = noise(size);
    const seen: [position: number, part: Uint8Array][] = [];
    await pumpBlob(partsBlob(bytes, 10_007), async (chunk, position) => void seen.push([position, chunk.slice()]));
    expect(seen.map(([position]) => position)).toEqual(seen.map((_, index) => index * CHUNK_BYTES));
    expect(seen.slice(0, -1).every(([, part]) => part.length === CHUNK_BYTES)).toBe(true);
    expect(Buffer.concat(seen.map(([, part]) => part)).equals(bytes)).toBe(true);
  });

  test("has several chunks under way at once, and no more than its share", async () => {
    const gates = Array.from({ length: 3 * CHUNKS_PER_BLOB }, () => deferred<void>());
    let underWay = 0;
    let most = 0;
    const pumping = pumpBlob(partsBlob(noise(gates.length * CHUNK_BYTES), CHUNK_BYTES), async (_chunk, position) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await gates[position / CHUNK_BYTES]?.promise;
      underWay -= 1;
    });
    await turns(100);
    expect(underWay).toBe(CHUNKS_PER_BLOB);
    for (const gate of gates) gate.resolve();
    await pumping;
    expect(most).toBe(CHUNKS_PER_BLOB);
  });

  test("throws the sink's error after every chunk has come back", async () => {
    const slow = deferred<void>();
    let isSlowDone = false;
    const pumping = pumpBlob(partsBlob(noise(8 * CHUNK_BYTES), 65_536), async (_chunk, position) => {
      if (position === CHUNK_BYTES) throw new Error("disk full");
      await slow.promise;
      isSlowDone = true;
    });
    const failed = expect(pumping).rejects.toThrow("disk full");
    await turns(20);
    slow.resolve();
    await failed;
    expect(isSlowDone).toBe(true);
  });

  test("throws the error of a sink that does not even return a promise", async () => {
    const pumping = pumpBlob(partsBlob(noise(10), 10), () => {
      throw new Error("sink is broken");
    });
    await expect(pumping).rejects.toThrow("sink is broken");
  });

  test("throws what broke the source", async () => {
    const blob = partsBlob(noise(CHUNK_BYTES + 5), 4096, { breaksWith: new Error("cable pulled") });
    await expect(pumpBlob(blob, async () => undefined)).rejects.toThrow("cable pulled");
  });

  test("throws what the source said when it could not be opened", async () => {
    const blob = { size: 1, open: async () => await Promise.reject(new Error("status 404")) };
    await expect(pumpBlob(blob, async () => undefined)).rejects.toThrow("status 404");
  });

  test("does not wait for a stalled source when the sink fails", async () => {
    const blob = partsBlob(noise(CHUNK_BYTES), 65_536, { stalls: true });
    await expect(pumpBlob(blob, async () => await Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
  });

  test("does not wait for a stalled source when the signal aborts", async () => {
    const stop = new AbortController();
    const pumping = pumpBlob(
      partsBlob(noise(CHUNK_BYTES + 1), 65_536, { stalls: true }),
      async () => undefined,
      stop.signal,
    );
    const failed = expect(pumping).rejects.toThrow("interrupted");
    await turns(20);
    stop.abort(new Error("interrupted"));
    await failed;
  });

  test("sends nothing when the signal had aborted before", async () => {
    let chunks = 0;
    const aborted = AbortSignal.abort(new Error("interrupted"));
    const sink = async (): Promise<void> => {
      chunks += 1;
    };
    await expect(pumpBlob(partsBlob(noise(10), 10), sink, aborted)).rejects.toThrow("interrupted");
    expect(chunks).toBe(0);
  });

  test("works on after other blobs have failed, however many", async () => {
    for (let failures = 0; failures < 60; failures += 1) {
      await expect(
        pumpBlob(partsBlob(noise(10), 3), async () => await Promise.reject(new Error("no"))),
      ).rejects.toThrow("no");
    }
    let bytes = 0;
    await pumpBlob(partsBlob(noise(10), 3), async chunk => {
      bytes += chunk.length;
    });
    expect(bytes).toBe(10);
  });
});

describe("readBlob()", () => {
  test("gives the whole blob", async () => {
    const bytes = noise(1000);
    expect(Buffer.from(bytes).equals(await readBlob(partsBlob(bytes, 7), 1000))).toBe(true);
    expect(await readBlob(bytesBlob(new Uint8Array(0)), 0)).toHaveLength(0);
  });

  test("refuses the first byte above the limit", async () => {
    await expect(readBlob(partsBlob(noise(1001), 7), 1000)).rejects.toThrow(IntegrityError);
  });
});

describe("spliced()", () => {
  const bytes = noise(2 * CHUNK_BYTES + 1000);
  /** The whole, and which ranges of it were asked for. */
  const asked = (of: Uint8Array): { readonly whole: BlobSource; readonly ranges: (ByteRange | undefined)[] } => {
    const ranges: (ByteRange | undefined)[] = [];
    const whole: BlobSource = {
      size: of.length,
      async open(range) {
        ranges.push(range);
        return await bytesBlob(of).open(range);
      },
    };
    return { ranges, whole };
  };
  const pumped = async (blob: BlobSource): Promise<Uint8Array> => {
    const into = new Uint8Array(blob.size);
    await pumpBlob(blob, async (chunk, position) => into.set(chunk, position));
    return into;
  };

  test.each([1, 1000, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])(
    "pumps %i bytes of the prefix and asks the source for the rest alone",
    async kept => {
      const { whole, ranges } = asked(bytes);
      const blob = spliced(bytesBlob(bytes.subarray(0, kept)), whole);
      expect(Buffer.from(bytes).equals(await pumped(blob))).toBe(true);
      expect(ranges).toEqual([{ start: kept, end: bytes.length }]);
    },
  );

  test("uses the source's own power to pump from a byte on", async () => {
    const starts: number[] = [];
    const whole: BlobSource = {
      size: bytes.length,
      open: async () => await Promise.reject(new Error("not to be opened")),
      async pumpFrom(start, sink, signal) {
        starts.push(start);
        await pumpBlob(bytesBlob(bytes.subarray(start)), sink, signal);
      },
    };
    expect(Buffer.from(bytes).equals(await pumped(spliced(bytesBlob(bytes.subarray(0, 1500)), whole)))).toBe(true);
    expect(starts).toEqual([1500]);
  });

  test("opens any range, from the prefix, the source or both", async () => {
    const small = noise(50);
    await fc.assert(
      fc.asyncProperty(fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 50 }), fc.nat({ max: 50 })), async numbers => {
        const [kept, one, two] = numbers;
        const range = { start: Math.min(one, two), end: Math.max(one, two) };
        const { whole, ranges } = asked(small);
        const stream = await spliced(bytesBlob(small.subarray(0, kept)), whole).open(range);
        const part = await collect(stream as AsyncIterable<Uint8Array>);
        expect([...part]).toEqual([...small.subarray(range.start, range.end)]);
        for (const asked of ranges) expect(asked?.start).toBeGreaterThanOrEqual(kept);
      }),
    );
  });

  test("throws what broke the prefix, and does not ask the source then", async () => {
    const { whole, ranges } = asked(bytes);
    const prefix = partsBlob(bytes.subarray(0, 100), 10, { breaksWith: new Error("bad sector") });
    await expect(pumped(spliced(prefix, whole))).rejects.toThrow("bad sector");
    expect(ranges).toEqual([]);
  });

  test("throws what broke the source behind the prefix", async () => {
    const blob = { size: bytes.length, open: async () => await Promise.reject(new Error("status 416")) };
    await expect(pumped(spliced(bytesBlob(bytes.subarray(0, 100)), blob))).rejects.toThrow("status 416");
  });

  test("stops when the signal aborts", async () => {
    const stop = AbortSignal.abort(new Error("interrupted"));
    const { whole, ranges } = asked(bytes);
    const pumping = pumpBlob(spliced(bytesBlob(bytes.subarray(0, 100)), whole), async () => undefined, stop);
    await expect(pumping).rejects.toThrow("interrupted");
    expect(ranges).toEqual([]);
  });
});
