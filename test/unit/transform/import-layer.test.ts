import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip-profile.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { IntegrityError, InternalError } from "../../../src/errors.ts";
import { OCI_LAYER, OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import {
  hashCompressedLayer,
  importedLayer,
  inflatedBlob,
  type RawLayer,
  sealedBlob,
  sealLayer,
} from "../../../src/transform/import-layer.ts";
import { collect, noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const gzip = { mediaType: OCI_LAYER_GZIP, profile: gzipProfile() };
const raw = { mediaType: OCI_LAYER, profile: undefined };
const ignore = (): void => undefined;

function rawLayer(bytes: Uint8Array, onTake: (chunk: Uint8Array) => void = ignore): RawLayer {
  const check = () => ({ take: onTake, end: ignore });
  return { what: 'file "x"', sourceBytes: bytes.length, check, open: () => partsBlob(bytes, 65_536) };
}

describe("importedLayer()", () => {
  test.each([1024, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])("seals a tar of %i bytes, as gzip and raw", async size => {
    const bytes = noise(size);
    const stream = await importedLayer(rawLayer(bytes), gzip).open();
    const sent = await collect(stream.body);
    expect(gunzipSync(sent).equals(bytes)).toBe(true);
    const descriptor = { mediaType: OCI_LAYER_GZIP, digest: sha256Of(sent), size: sent.length };
    expect(stream.seal()).toEqual({ descriptor, diffId: sha256Of(bytes) });
    const kept = await sealLayer(importedLayer(rawLayer(bytes), raw), ignore, undefined);
    expect(kept.descriptor).toEqual({ mediaType: OCI_LAYER, digest: sha256Of(bytes), size });
  });

  test("shows every byte to the check, in order, and ends with what it throws", async () => {
    const bytes = noise(3 * CHUNK_BYTES);
    const seen: Uint8Array[] = [];
    const layer = rawLayer(bytes, chunk => void seen.push(chunk.slice()));
    await sealLayer(importedLayer(layer, gzip), ignore, undefined);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    const refused = rawLayer(bytes, () => {
      throw new Error("no tar");
    });
    await expect(sealLayer(importedLayer(refused, gzip), ignore, undefined)).rejects.toThrow("no tar");
  });

  test("has the digest cache's key when the diff_id is known, and refuses other bytes then", async () => {
    const diffId = sha256Of(noise(7));
    const pending = importedLayer(rawLayer(noise(2000)), gzip, diffId);
    expect(pending.key).toBe(`pending:${diffId}+${gzipProfile().name}`);
    await expect(sealLayer(pending, ignore, undefined)).rejects.toThrow(IntegrityError);
  });

  test("has no seal before its end", async () => {
    const stream = await importedLayer(rawLayer(noise(2 * CHUNK_BYTES)), gzip).open();
    await stream.body.next();
    expect(() => stream.seal()).toThrow(InternalError);
    await stream.body.return();
  });
});

test("sealedBlob() makes a layer again, whole or from any byte on", async () => {
  const pending = importedLayer(rawLayer(noise(2 * CHUNK_BYTES + 5)), gzip);
  const whole = await collect((await pending.open()).body);
  const blob = sealedBlob(pending, whole.length);
  expect(Buffer.from(await readBlob(blob, whole.length)).equals(whole)).toBe(true);
  const range = { start: CHUNK_BYTES + 3, end: whole.length - 1 };
  const part = await collect((await blob.open(range)) as AsyncIterable<Uint8Array>);
  expect(Buffer.from(part).equals(Buffer.from(whole.subarray(range.start, range.end)))).toBe(true);
});

describe("hashCompressedLayer()", () => {
  test("tells both identities of a layer of zeros, which shrinks more than a thousandfold", async () => {
    const zeros = Buffer.alloc(32 * 1024 * 1024);
    const file = gzipSync(zeros, { level: 9 });
    expect(zeros.length / file.length).toBeGreaterThan(1000);
    let read = 0;
    const onBytes = (bytes: number): void => {
      read += bytes;
    };
    const found = await hashCompressedLayer(partsBlob(file, 4096), "gzip", rawLayer(zeros), onBytes, undefined);
    expect(found).toEqual({ digest: sha256Of(file), diffId: sha256Of(zeros) });
    expect(read).toBe(file.length);
  });

  test("throws what is wrong with the data, and what broke the source", async () => {
    const file = gzipSync(noise(100_000));
    const cut = hashCompressedLayer(partsBlob(file.subarray(0, 5000), 512), "gzip", rawLayer(file), ignore, undefined);
    await expect(cut).rejects.toThrow("gzip data ends at byte 5000");
    const broken = partsBlob(file, 512, { breaksWith: new Error("disk unplugged") });
    const failed = hashCompressedLayer(broken, "gzip", rawLayer(file), ignore, undefined);
    await expect(failed).rejects.toThrow("disk unplugged");
  });
});

test("inflatedBlob() reports the compressed bytes that it reads", async () => {
  const bytes = noise(200_000);
  const file = gzipSync(bytes);
  let read = 0;
  const blob = inflatedBlob(partsBlob(file, 1000), "gzip", "x", count => {
    read += count;
  });
  expect(sha256Of(await readBlob(blob, bytes.length))).toBe(sha256Of(bytes));
  expect(read).toBe(file.length);
});
