import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource } from "../../../src/content/contracts.ts";
import { pumpBlob } from "../../../src/content/pump.ts";
import { verified } from "../../../src/content/verified.ts";
import { IntegrityError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { collect, noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const describeIt = (bytes: Uint8Array): Descriptor => ({ mediaType: "x", digest: sha256Of(bytes), size: bytes.length });

const ways: readonly (readonly [string, (blob: BlobSource) => Promise<Uint8Array>])[] = [
  [
    "pumped",
    async blob => {
      const parts: Uint8Array[] = [];
      await pumpBlob(blob, async chunk => void parts.push(chunk.slice()));
      return Buffer.concat(parts);
    },
  ],
  ["opened", async blob => await collect((await blob.open()) as AsyncIterable<Uint8Array>)],
];

describe.each(ways)("verified(), %s,", (_way, read) => {
  test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 1])(
    "lets %i right bytes through",
    async size => {
      const bytes = noise(size);
      const blob = verified(describeIt(bytes), partsBlob(bytes, 65_536), "a.tar");
      expect(Buffer.from(bytes).equals(await read(blob))).toBe(true);
    },
  );

  test.each([10, CHUNK_BYTES + 10])("names both digests and sizes when one of %i bytes is wrong", async size => {
    const bytes = noise(size);
    const wanted = describeIt(bytes);
    const altered = bytes.with(size - 1, (bytes[size - 1] ?? 0) ^ 1);
    const failed = read(verified(wanted, partsBlob(altered, 65_536), "a.tar"));
    await expect(failed).rejects.toThrow(IntegrityError);
    await expect(failed).rejects.toThrow(
      `Cannot accept blob from a.tar: found ${sha256Of(altered)} (${size} bytes), expected ${wanted.digest} (${size} bytes)`,
    );
  });

  test.each([9, 2 * CHUNK_BYTES - 1])("refuses a blob that ends after %i bytes, one too early", async size => {
    const bytes = noise(size + 1);
    const failed = read(verified(describeIt(bytes), partsBlob(bytes.subarray(0, size), 65_536), "a.tar"));
    await expect(failed).rejects.toThrow(`(${size} bytes), expected ${sha256Of(bytes)} (${size + 1} bytes)`);
  });

  test.each([10, 2 * CHUNK_BYTES])("refuses what follows the last of %i bytes", async size => {
    const bytes = noise(size + 5);
    const wanted = describeIt(bytes.subarray(0, size));
    await expect(read(verified(wanted, partsBlob(bytes, 1000), "a.tar"))).rejects.toThrow(
      `expected ${wanted.digest} (${size} bytes)`,
    );
  });

  test("checks sha512 digests too", async () => {
    const bytes = noise(CHUNK_BYTES + 3);
    const digest = `sha512:${createHash("sha512").update(bytes).digest("hex")}` as const;
    const descriptor = { mediaType: "x", digest, size: bytes.length };
    expect(await read(verified(descriptor, partsBlob(bytes, 65_536), "a.tar"))).toHaveLength(bytes.length);
    const altered = partsBlob(bytes.with(0, (bytes[0] ?? 0) ^ 1), 65_536);
    await expect(read(verified(descriptor, altered, "a.tar"))).rejects.toThrow(`expected ${digest}`);
  });
});

describe("verified()", () => {
  test("hands no chunk to the sink that goes past the size", async () => {
    const bytes = noise(3 * CHUNK_BYTES);
    const seen: number[] = [];
    const blob = verified(describeIt(bytes.subarray(0, CHUNK_BYTES)), partsBlob(bytes, CHUNK_BYTES), "a.tar");
    await expect(pumpBlob(blob, async (_chunk, position) => void seen.push(position))).rejects.toThrow(IntegrityError);
    expect(seen).toEqual([0]);
  });

  test("passes a range on unchecked", async () => {
    const descriptor = { ...describeIt(noise(1)), size: 3 };
    const source: BlobSource = {
      size: 3,
      open: async range => await partsBlob(new Uint8Array([range?.start ?? 9]), 1).open(),
    };
    expect([
      ...(await collect(
        (await verified(descriptor, source, "x").open({ start: 2, end: 3 })) as AsyncIterable<Uint8Array>,
      )),
    ]).toEqual([2]);
  });

  test("closes the source's stream when nobody reads", async () => {
    const source = partsBlob(noise(10), 1);
    const inner = await source.open();
    const stream = await verified(describeIt(noise(10)), { ...source, open: async () => inner }, "x").open();
    const closed = new Promise(resolve => inner.once("close", resolve));
    stream.destroy();
    await closed;
    expect(inner.destroyed).toBe(true);
  });
});
