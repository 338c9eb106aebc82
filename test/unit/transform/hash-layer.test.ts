import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { hashLayer, type LayerHashes } from "../../../src/transform/hash-layer.ts";
import { noise, type PartsOptions, partsBlob, sha256Of, turns } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const ignore = (): void => undefined;
const hash = async (
  bytes: Uint8Array,
  isGzip: boolean,
  options?: PartsOptions,
  signal?: AbortSignal,
): Promise<LayerHashes> =>
  await hashLayer(
    partsBlob(bytes, 65_536, options),
    { algorithm: "sha256", what: "layer", compression: isGzip ? "gzip" : undefined },
    signal,
    ignore,
  );

describe("hashLayer()", () => {
  test.each([0, 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1])(
    "gives digest and diff_id of a gzip layer of %i bytes",
    async size => {
      const bytes = noise(size);
      const layer = gzipSync(bytes);
      expect(await hash(layer, true)).toEqual({ digest: sha256Of(layer), diffId: sha256Of(bytes) });
    },
  );

  test("gives the digest alone of any other blob, and counts its bytes", async () => {
    const bytes = noise(CHUNK_BYTES + 1);
    let read = 0;
    const found = await hashLayer(
      partsBlob(bytes, 1000),
      { algorithm: "sha256", what: "layer", compression: undefined },
      undefined,
      count => {
        read += count;
      },
    );
    expect(found).toEqual({ digest: sha256Of(bytes) });
    expect(read).toBe(bytes.length);
  });

  test("gives the digest of the whole blob where zeros follow the gzip data", async () => {
    const layer = Buffer.concat([gzipSync("content"), new Uint8Array(300_000)]);
    expect(await hash(layer, true)).toEqual({ digest: sha256Of(layer), diffId: sha256Of(Buffer.from("content")) });
  });

  test.each([100, 3 * CHUNK_BYTES])("says that a layer of %i bytes is no gzip data", async size => {
    await expect(hash(noise(size), true)).rejects.toMatchObject({ reason: "damaged-gzip" });
  });

  test.each([1000, 3 * CHUNK_BYTES])("says that a layer of %i bytes is cut", async size => {
    await expect(hash(gzipSync(noise(size)).subarray(0, -20), true)).rejects.toMatchObject({
      reason: "truncated-gzip",
    });
  });

  test("tells both identities of a layer of zeros, which shrinks more than a thousandfold", async () => {
    const zeros = Buffer.alloc(32 * 1024 * 1024);
    const layer = gzipSync(zeros, { level: 9 });
    expect(zeros.length / layer.length).toBeGreaterThan(1000);
    expect(await hash(layer, true)).toEqual({ digest: sha256Of(layer), diffId: sha256Of(zeros) });
  });

  test.each([
    ["gzip", gzipSync],
    [undefined, Buffer.from],
  ] as const)("shows what a layer holds to the check, in order (%s)", async (compression, pack) => {
    const bytes = noise(3 * CHUNK_BYTES);
    const seen: Uint8Array[] = [];
    const check = { take: (chunk: Uint8Array) => void seen.push(chunk.slice()), end: ignore };
    const how = { algorithm: "sha256", what: "layer", compression } as const;
    const blob = partsBlob(pack(bytes), 65_536);
    await hashLayer(blob, { ...how, check }, undefined, ignore);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    const refused = { ...check, end: () => expect.unreachable("no tar") };
    await expect(hashLayer(blob, { ...how, check: refused }, undefined, ignore)).rejects.toThrow("no tar");
  });

  test("throws what broke the source of a gzip layer", async () => {
    const failed = hash(gzipSync(noise(2 * CHUNK_BYTES)), true, { breaksWith: new Error("disk unplugged") });
    await expect(failed).rejects.toThrow("disk unplugged");
  });

  test("ends with the reason when the signal aborts in the middle of a gzip layer", async () => {
    const stop = new AbortController();
    const layer = gzipSync(noise(2 * CHUNK_BYTES)).subarray(0, CHUNK_BYTES + 5);
    const failed = expect(hash(layer, true, { stalls: true }, stop.signal)).rejects.toThrow("interrupted");
    await turns(20);
    stop.abort(new Error("interrupted"));
    await failed;
  });
});
