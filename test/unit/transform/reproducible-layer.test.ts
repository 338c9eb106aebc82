import { afterEach, describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip/gzip-profile.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource } from "../../../src/content/contracts.ts";
import { pumpBlob, readBlob } from "../../../src/content/pump.ts";
import { OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import { packLayer } from "../../../src/transform/pack-layer.ts";
import { reproducibleLayer, sealLayer } from "../../../src/transform/reproducible-layer.ts";
import { collect, noise, partsBlob } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const raw = noise(5 * CHUNK_BYTES + 5);
const make = () =>
  packLayer(partsBlob(raw, 65_536), { mediaType: OCI_LAYER_GZIP, profile: gzipProfile(), what: "layer" });

async function again(): Promise<{ readonly blob: BlobSource; readonly whole: Buffer }> {
  const whole = Buffer.from(await collect(make().body));
  const { descriptor } = await sealLayer(make());
  expect(descriptor.size).toBe(whole.length);
  return { whole, blob: reproducibleLayer(async () => make(), descriptor.size) };
}

describe("reproducibleLayer()", () => {
  test("makes a layer again, whole or from any byte on", async () => {
    const { blob, whole } = await again();
    expect(Buffer.from(await readBlob(blob, whole.length)).equals(whole)).toBe(true);
    const range = { start: CHUNK_BYTES + 3, end: whole.length - 1 };
    const part = await collect((await blob.open(range)) as AsyncIterable<Uint8Array>);
    expect(Buffer.from(part).equals(whole.subarray(range.start, range.end))).toBe(true);
  });

  test("makes it for a sink, in order, in the chunks that it was read into", async () => {
    const { blob, whole } = await again();
    const seen: Uint8Array[] = [];
    let most = 0;
    await pumpBlob(blob, async (part, position) => {
      expect(position).toBe(seen.reduce((sum, { length }) => sum + length, 0));
      most = Math.max(most, sharedChunks.lentChunks);
      seen.push(part.slice());
    });
    expect(Buffer.concat(seen).equals(whole)).toBe(true);
    expect(most).toBeGreaterThan(0);
  });

  test("ends with the failure of its sink, and gives the chunks back", async () => {
    const { blob } = await again();
    const failed = pumpBlob(blob, async () => {
      throw new Error("full");
    });
    await expect(failed).rejects.toThrow("full");
  });
});
