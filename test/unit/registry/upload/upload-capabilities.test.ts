import { describe, expect, test } from "vitest";
import type { RegistryClient } from "../../../../src/registry/client/registry-client.ts";
import {
  canShrink,
  capabilitiesOf,
  chunkOf,
  inTurn,
  noteChunkLimits,
  shrinkChunks,
  type UploadCapabilities,
} from "../../../../src/registry/upload/upload-capabilities.ts";
import { deferred } from "../../../../src/util/promises.ts";

const MIB = 1024 * 1024;

function form(headers: Record<string, string> = {}): UploadCapabilities {
  const fresh = capabilitiesOf({} as RegistryClient);
  noteChunkLimits(fresh, headers);
  return fresh;
}

/** Lengths of the chunks that so many bytes go in. */
function lengths(of: UploadCapabilities, bytes: number): readonly number[] {
  const found: number[] = [];
  for (let left: Uint8Array = Buffer.alloc(bytes); left.length > 0; ) {
    const { length } = chunkOf(of, left);
    found.push(length / MIB);
    left = left.subarray(length);
  }
  return found;
}

describe("UploadCapabilities", () => {
  test("shrinkChunks() halves down to 1 MiB, and not below what the registry takes", () => {
    const free = form();
    while (canShrink(free)) shrinkChunks(free);
    expect(free.chunkBytes).toBe(MIB);
    const bound = form({ "oci-chunk-min-length": String(5 * MIB) });
    while (canShrink(bound)) shrinkChunks(bound);
    expect(bound.chunkBytes).toBe(5 * MIB);
  });

  test("chunkOf() leaves nothing over that is shorter than the registry takes", () => {
    expect(lengths(form(), 20 * MIB)).toEqual([8, 8, 4]);
    expect(lengths(form({ "oci-chunk-min-length": String(5 * MIB) }), 20 * MIB)).toEqual([8, 7, 5]);
    const both = { "oci-chunk-min-length": String(MIB), "oci-chunk-max-length": String(2 * MIB) };
    expect(lengths(form(both), 4.5 * MIB)).toEqual([2, 1.5, 1]);
    expect(lengths(form({ "oci-chunk-min-length": String(12 * MIB) }), 16 * MIB)).toEqual([16]);
  });

  test("noteChunkLimits() gives up chunks that are too large for memory, and takes no nonsense", () => {
    expect(form({ "oci-chunk-min-length": String(65 * MIB) }).takesChunks).toBe(false);
    expect(form({ "oci-chunk-min-length": "-1", "oci-chunk-max-length": "much" })).toMatchObject({
      takesChunks: true,
      minChunkBytes: 0,
      chunkBytes: 8 * MIB,
    });
  });

  test("inTurn() runs uploads one after another once that is needed, also after one that fails", async () => {
    const one = form();
    one.isOneAtATime = true;
    const order: string[] = [];
    const slow = deferred<void>();
    const first = inTurn(one, async () => {
      await slow.promise;
      order.push("first");
      throw new Error("lost");
    });
    const second = inTurn(one, async () => void order.push("second"));
    slow.resolve();
    await expect(first).rejects.toThrow("lost");
    await second;
    expect(order).toEqual(["first", "second"]);
  });
});
