import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip/gzip-profile.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { IntegrityError, InternalError } from "../../../src/errors.ts";
import { OCI_LAYER, OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import { importedLayer, type RawLayer } from "../../../src/transform/imported-layer.ts";
import { sealLayer } from "../../../src/transform/reproducible-layer.ts";
import { collect, noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const gzip = { mediaType: OCI_LAYER_GZIP, profile: gzipProfile() };
const raw = { mediaType: OCI_LAYER, profile: undefined };
const ignore = (): void => undefined;

function rawLayer(bytes: Uint8Array, onTake: (chunk: Uint8Array) => void = ignore): RawLayer {
  const check = () => ({ take: onTake, end: ignore });
  return { what: 'file "x"', blob: partsBlob(bytes, 65_536), check };
}

describe("importedLayer()", () => {
  test.each([1024, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])("seals a tar of %i bytes, as gzip and raw", async size => {
    const bytes = noise(size);
    const stream = await importedLayer(rawLayer(bytes), gzip).open();
    const sent = await collect(stream.body);
    expect(gunzipSync(sent).equals(bytes)).toBe(true);
    const descriptor = { mediaType: OCI_LAYER_GZIP, digest: sha256Of(sent), size: sent.length };
    expect(stream.seal()).toEqual({ descriptor, diffId: sha256Of(bytes) });
    const kept = await sealLayer(await importedLayer(rawLayer(bytes), raw).open());
    expect(kept.descriptor).toEqual({ mediaType: OCI_LAYER, digest: sha256Of(bytes), size });
  });

  test("shows every byte to the check, in order, and ends with what it throws", async () => {
    const bytes = noise(3 * CHUNK_BYTES);
    const seen: Uint8Array[] = [];
    const layer = rawLayer(bytes, chunk => void seen.push(chunk.slice()));
    await sealLayer(await importedLayer(layer, gzip).open());
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    const refused = rawLayer(bytes, () => {
      throw new Error("no tar");
    });
    await expect(sealLayer(await importedLayer(refused, gzip).open())).rejects.toThrow("no tar");
  });

  test("has the digest cache's key when the diff_id is known, and refuses other bytes then", async () => {
    const diffId = sha256Of(noise(7));
    const pending = importedLayer(rawLayer(noise(2000)), gzip, diffId);
    expect(pending.key).toBe(`pending:${diffId}+${gzipProfile().name}`);
    await expect(sealLayer(await pending.open())).rejects.toThrow(IntegrityError);
  });

  test("has no seal before its end", async () => {
    const stream = await importedLayer(rawLayer(noise(2 * CHUNK_BYTES)), gzip).open();
    await stream.body.next();
    expect(() => stream.seal()).toThrow(InternalError);
    await stream.body.return();
  });
});
