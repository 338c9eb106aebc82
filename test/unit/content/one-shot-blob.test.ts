import { afterEach, describe, expect, test } from "vitest";
import { CHUNK_BYTES, CHUNKS_PER_BLOB, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { oneShotBlob } from "../../../src/content/one-shot-blob.ts";
import { pumpBlob, readBlob } from "../../../src/content/pump.ts";
import { noise } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

async function feedAll(once: ReturnType<typeof oneShotBlob>, bytes: Uint8Array, piece: number): Promise<number> {
  for (let at = 0; at < bytes.length; at += piece) {
    const part = Uint8Array.from(bytes.subarray(at, at + piece));
    if (!(await once.feed(part))) return at;
    // What was fed may be used again.
    part.fill(0);
  }
  once.end();
  return bytes.length;
}

describe("oneShotBlob()", () => {
  test.each([0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 17])("gives its reader the %i bytes that were fed", async size => {
    const bytes = noise(size);
    const once = oneShotBlob(size);
    const [read] = await Promise.all([readBlob(once.blob, size), feedAll(once, bytes, 70_001)]);
    expect(Buffer.compare(read, bytes)).toBe(0);
  });

  test("works a single time", async () => {
    const once = oneShotBlob(0);
    once.end();
    await pumpBlob(once.blob, async () => undefined);
    await expect(pumpBlob(once.blob, async () => undefined)).rejects.toThrow("already read, expected one reading");
  });

  test("holds its writer up until the reader has room", async () => {
    const size = (CHUNKS_PER_BLOB + 4) * CHUNK_BYTES;
    const once = oneShotBlob(size);
    let open = (): void => undefined;
    const gate = new Promise<void>(resolve => {
      open = resolve;
    });
    let fed = 0;
    const part = new Uint8Array(CHUNK_BYTES);
    const feeding = (async () => {
      while (fed < size && (await once.feed(part))) fed += part.length;
      once.end();
    })();
    const pumping = pumpBlob(once.blob, async () => await gate);
    await new Promise(resolve => setImmediate(resolve));
    await new Promise(resolve => setImmediate(resolve));
    expect(fed).toBeLessThanOrEqual(CHUNKS_PER_BLOB * CHUNK_BYTES);
    open();
    await Promise.all([feeding, pumping]);
    expect(fed).toBe(size);
  });

  test("tells its writer that nobody wants the rest when the reader failed", async () => {
    const size = 40 * CHUNK_BYTES;
    const once = oneShotBlob(size);
    const pumping = pumpBlob(once.blob, async () => {
      throw new Error("full");
    });
    const [fed] = await Promise.all([feedAll(once, noise(size), 100_000), expect(pumping).rejects.toThrow("full")]);
    expect(fed).toBeLessThan(size);
  });

  test("tells its writer that nobody wants it when the reader has gone", async () => {
    const once = oneShotBlob(10);
    once.leave();
    expect(await once.feed(new Uint8Array(10))).toBe(false);
  });

  test("lets its reader go when the signal aborts and nothing comes any more", async () => {
    const once = oneShotBlob(2 * CHUNK_BYTES);
    const stop = new AbortController();
    const pumping = pumpBlob(once.blob, async () => undefined, stop.signal);
    expect(await once.feed(noise(CHUNK_BYTES + 5))).toBe(true);
    stop.abort(new Error("enough"));
    await expect(pumping).rejects.toThrow("enough");
    expect(await once.feed(new Uint8Array(1))).toBe(false);
  });
});
