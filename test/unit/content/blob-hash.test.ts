import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createBlobHash, InlineHash } from "../../../src/content/blob-hash.ts";
import { ThreadHash } from "../../../src/content/thread-hash.ts";
import { noise, sha256Of } from "../../support/memory-blobs.ts";

const MIB = 1024 * 1024;

// Which one runs depends on the processor; the result must not.
describe.each([
  ["this thread", InlineHash],
  ["another thread", ThreadHash],
])("a blob hash on %s", (_where, Hash) => {
  test("keeps the order of overlapping updates", async () => {
    const bytes = noise(2 * MIB);
    const hash = new Hash("sha256");
    const updates: Promise<void>[] = [];
    for (let start = 0; start < bytes.length; start += 99_991)
      updates.push(hash.update(bytes.subarray(start, start + 99_991)));
    await Promise.all(updates);
    expect(await hash.digest()).toBe(sha256Of(bytes));
  });

  test("knows the digest while updates are on their way", async () => {
    const bytes = noise(MIB);
    const hash = new Hash("sha256");
    const updates = [hash.update(bytes.subarray(0, 10)), hash.update(bytes.subarray(10))];
    expect(await hash.digest()).toBe(sha256Of(bytes));
    await Promise.all(updates);
  });

  test("runs next to many others", async () => {
    const blobs = Array.from({ length: 12 }, (_, seed) => noise(30_001, seed));
    const hashes = blobs.map(() => new Hash("sha512"));
    for (const at of [0, 15_000, 30_000]) {
      await Promise.all(
        hashes.map(async (hash, index) => await hash.update((blobs[index] ?? noise(0)).subarray(at, at + 15_000))),
      );
    }
    const digests = await Promise.all(hashes.map(async hash => await hash.digest()));
    expect(digests).toEqual(blobs.map(bytes => `sha512:${createHash("sha512").update(bytes).digest("hex")}`));
  });

  test("knows the digest of nothing", async () => {
    expect(await new Hash("sha256").digest()).toBe(sha256Of(new Uint8Array(0)));
  });

  test("refuses to go on after it was dropped, instead of hashing the rest alone", async () => {
    const hash = new Hash("sha256");
    await hash.update(noise(10));
    await hash.drop();
    await expect(hash.update(noise(10))).rejects.toThrow("the running hash is lost");
    await expect(hash.digest()).rejects.toThrow("the running hash is lost");
  });

  test("can be dropped before its first byte, and after an update that is on its way", async () => {
    await new Hash("sha256").drop();
    const hash = new Hash("sha256");
    const update = hash.update(noise(10));
    await hash.drop();
    await update;
  });
});

test.each([0, 2 * MIB])("createBlobHash() for %i bytes hashes them", async size => {
  const hash = createBlobHash("sha256", size);
  await hash.update(noise(size));
  expect(await hash.digest()).toBe(sha256Of(noise(size)));
});
