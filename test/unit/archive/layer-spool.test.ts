import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { LayerSpool } from "../../../src/archive/layer-spool.ts";
import { bytesBlob } from "../../../src/content/blob.ts";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { unnamedStream } from "../../../src/content/hashed-blob.ts";
import { pumpBlob, readBlob } from "../../../src/content/pump.ts";
import { verified } from "../../../src/content/verified.ts";
import { describeBytes } from "../../../src/oci/descriptor.ts";
import { noise, partsBlob } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const TYPE = "application/octet-stream";

describe("LayerSpool", () => {
  test("gives back what several writers put at once", async () => {
    await using spool = await LayerSpool.create();
    const blobs = [3_300_000, 0, 1, 2_100_000].map((size, seed) => noise(size, seed + 1));
    await Promise.all(
      blobs.map(async (bytes, place) => {
        if (place % 2 === 0) await spool.put(describeBytes(TYPE, bytes), partsBlob(bytes, 70_000));
        else
          await spool.putPending({
            key: `pending:${place}`,
            what: "layer",
            mediaType: TYPE,
            sourceBytes: bytes.length,
            open: async signal => unnamedStream(partsBlob(bytes, 70_000), TYPE, signal),
          });
      }),
    );
    for (const bytes of blobs) {
      const { digest } = describeBytes(TYPE, bytes);
      expect(await spool.has(describeBytes(TYPE, bytes))).toBe("exists");
      const found = spool.find(digest);
      if (found === undefined) throw new Error("lost");
      expect(found.size).toBe(bytes.length);
      expect(Buffer.compare(await readBlob(found, bytes.length), bytes)).toBe(0);
      // A part of it, over the borders of what was written at once.
      const range = { start: Math.floor(bytes.length / 3), end: Math.ceil(bytes.length / 2) };
      const part = Buffer.concat((await (await found.open(range)).toArray()) as Uint8Array[]);
      expect(Buffer.compare(part, bytes.subarray(range.start, range.end))).toBe(0);
      // It can be had as often as a registry wants.
      const again = new Uint8Array(bytes.length);
      await pumpBlob(found, async (chunk, at) => again.set(chunk, at));
      expect(Buffer.compare(again, bytes)).toBe(0);
    }
  });

  test("does not know what was not put, or was refused on its way", async () => {
    await using spool = await LayerSpool.create();
    const wanted = describeBytes(TYPE, noise(10));
    const putting = spool.put(wanted, verified(wanted, bytesBlob(noise(10, 2)), "memory"));
    await expect(putting).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    expect(await spool.has(wanted)).toBe("absent");
    expect(spool.find(wanted.digest)).toBeUndefined();
  });

  test("has no name, and is gone when it is disposed of", async () => {
    const held = (): readonly string[] =>
      readdirSync("/proc/self/fd").flatMap(fd => {
        try {
          const target = readlinkSync(`/proc/self/fd/${fd}`);
          return /imgpack-[0-9a-f]{24}/.test(target) ? [target] : [];
        } catch {
          return [];
        }
      });
    const spool = await LayerSpool.create();
    expect(held()).toEqual([expect.stringMatching(/ \(deleted\)$/)]);
    expect(existsSync(held()[0]?.replace(/ \(deleted\)$/, "") ?? spool.folder)).toBe(false);
    await spool[Symbol.asyncDispose]();
    expect(held()).toEqual([]);
  });
});
