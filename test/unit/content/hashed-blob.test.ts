import { afterEach, describe, expect, test } from "vitest";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { hashBlob } from "../../../src/content/hash-blob.ts";
import { hashedBlob, unnamedStream } from "../../../src/content/hashed-blob.ts";
import { pumpBlob, readBlob } from "../../../src/content/pump.ts";
import { collect, noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const SIZES = [0, 1, 3_000_000];

describe("hashedBlob()", () => {
  test.each(SIZES)("tells the digest of %i bytes that were pumped", async size => {
    const bytes = noise(size);
    const { blob, digest } = hashedBlob(partsBlob(bytes, 65_536));
    await pumpBlob(blob, async () => undefined);
    expect(await digest()).toBe(sha256Of(bytes));
  });

  test.each(SIZES)("tells the digest of %i bytes that were read as a stream", async size => {
    const bytes = noise(size);
    const { blob, digest } = hashedBlob(partsBlob(bytes, 65_536));
    expect(Buffer.compare(await readBlob(blob, size), bytes)).toBe(0);
    expect(await digest()).toBe(sha256Of(bytes));
  });

  test("passes its reader's failure on", async () => {
    const { blob } = hashedBlob(partsBlob(noise(3_000_000), 65_536));
    const failing = pumpBlob(blob, async () => {
      throw new Error("full");
    });
    await expect(failing).rejects.toThrow("full");
  });
});

describe("hashBlob()", () => {
  test.each(["sha256", "sha512"] as const)("tells the %s of a blob", async algorithm => {
    const { createHash } = await import("node:crypto");
    const bytes = noise(1_500_000);
    const wanted = createHash(algorithm).update(bytes).digest("hex");
    expect(await hashBlob(partsBlob(bytes, 65_536), algorithm)).toBe(`${algorithm}:${wanted}`);
  });
});

describe("unnamedStream()", () => {
  test("gives the blob as it is, and its descriptor at the end", async () => {
    const bytes = noise(2_100_000);
    let read = 0;
    const stream = unnamedStream(partsBlob(bytes, 65_536), "text/plain", undefined, count => {
      read += count;
    });
    expect(() => stream.seal()).toThrow("its end was not reached");
    expect(Buffer.compare(await collect(stream.body), bytes)).toBe(0);
    expect(stream.seal().descriptor).toEqual({ mediaType: "text/plain", digest: sha256Of(bytes), size: bytes.length });
    expect(read).toBe(bytes.length);
  });

  test("gives its memory back when nobody wants the rest", async () => {
    const stream = unnamedStream(partsBlob(noise(5_000_000), 65_536), "text/plain");
    await stream.body.next();
    await stream.body.return();
    expect(() => stream.seal()).toThrow("its end was not reached");
  });
});
