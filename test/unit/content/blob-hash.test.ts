import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createBlobHash } from "../../../src/content/blob-hash.ts";
import { noise, sha256Of } from "../../support/memory-blobs.ts";

const MIB = 1024 * 1024;

test.each([MIB, 2 * MIB])("createBlobHash() for %i bytes keeps the order of overlapping updates", async size => {
  const bytes = noise(size);
  const hash = createBlobHash("sha256", size);
  const updates: Promise<void>[] = [];
  for (let start = 0; start < size; start += 99_991) updates.push(hash.update(bytes.subarray(start, start + 99_991)));
  await Promise.all(updates);
  expect(await hash.digest()).toBe(sha256Of(bytes));
});

test("createBlobHash() runs many hashes side by side", async () => {
  const blobs = Array.from({ length: 12 }, (_, seed) => noise(MIB + 1, seed));
  const hashes = blobs.map(() => createBlobHash("sha512", 2 * MIB));
  for (const at of [0, 500_000, 1_000_000]) {
    await Promise.all(
      hashes.map(async (hash, index) => await hash.update((blobs[index] ?? noise(0)).subarray(at, at + 500_000))),
    );
  }
  const digests = await Promise.all(hashes.map(async hash => await hash.digest()));
  expect(digests).toEqual(blobs.map(bytes => `sha512:${createHash("sha512").update(bytes).digest("hex")}`));
});

test("createBlobHash() knows the digest of nothing", async () => {
  for (const size of [0, 2 * MIB])
    expect(await createBlobHash("sha256", size).digest()).toBe(sha256Of(new Uint8Array(0)));
});

test("createBlobHash() refuses to go on with a hash that was dropped, instead of hashing the rest alone", async () => {
  const hash = createBlobHash("sha256", 2 * MIB);
  await hash.update(noise(10));
  await hash.drop();
  await expect(hash.digest()).rejects.toThrow("the running hash is lost");
});

test("createBlobHash() can be dropped before its first byte", async () => {
  await createBlobHash("sha256", 2 * MIB).drop();
});
