import { describe, expect, test } from "vitest";
import type { ImageSource, Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { ArchiveError } from "../../../src/errors.ts";
import { type Descriptor, describeBytes } from "../../../src/oci/descriptor.ts";
import { OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { pruneSparse } from "../../../src/transform/prune-sparse.ts";
import { addImage, addIndex, type MemorySource, memorySource, settledRoot } from "../../support/memory-image.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };

/** A descriptor whose blob no source holds. */
function absent(mediaType: string): Descriptor {
  return describeBytes(mediaType, Buffer.from(`nobody holds this ${mediaType}`));
}

function attestation(source: MemorySource, about: Descriptor): object {
  const manifest = addImage(source, `attestation of ${about.digest}`);
  return {
    ...manifest,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about.digest },
  };
}

async function prune(
  source: MemorySource,
  root: Descriptor,
): Promise<{ roots: Root[]; notes: string[]; pruned: ImageSource }> {
  const notes: string[] = [];
  const withRoot = {
    ...source,
    async *roots() {
      yield settledRoot(root);
    },
  };
  const pruned = pruneSparse(withRoot, note => notes.push(note));
  const roots: Root[] = [];
  for await (const found of pruned.roots()) roots.push(found);
  return { roots, notes, pruned };
}

async function readIndex({ roots, pruned }: { roots: Root[]; pruned: ImageSource }): Promise<unknown> {
  const [root] = roots;
  if (root?.kind !== "settled") throw new Error("no settled root");
  const bytes = await readBlob(await pruned.blob(root.descriptor), 1_000_000);
  expect(describeBytes(OCI_INDEX, bytes).digest).toBe(root.descriptor.digest);
  return JSON.parse(Buffer.from(bytes).toString());
}

describe("pruneSparse()", () => {
  test("leaves an index whose images are all there as it is", async () => {
    const source = memorySource();
    const index = addIndex(source, [{ ...addImage(source, "a"), platform: AMD64 }]);
    const { roots, notes } = await prune(source, index);
    expect(roots).toEqual([settledRoot(index)]);
    expect(notes).toEqual([]);
  });

  test.each([
    ["manifest", (): Descriptor => absent(OCI_MANIFEST)],
    ["layer", (source: MemorySource): Descriptor => addImage(source, "arm", { layers: [absent(OCI_LAYER_GZIP)] })],
  ])("leaves a platform whose %s is absent out of the index, and says so", async (_what, makeAbsent) => {
    const source = memorySource();
    const kept = { ...addImage(source, "amd"), platform: AMD64, annotations: { a: "b" } };
    const index = addIndex(source, [kept, { ...makeAbsent(source), platform: ARM64 }]);
    const outcome = await prune(source, index);
    expect(await readIndex(outcome)).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [kept] });
    expect(outcome.notes).toEqual([expect.stringContaining("linux/arm64")]);
  });

  test("drops an attestation with the image that it is about, and keeps the other", async () => {
    const source = memorySource();
    const image = addImage(source, "amd");
    const gone = absent(OCI_MANIFEST);
    const kept = [{ ...image, platform: AMD64 }, attestation(source, image)];
    const index = addIndex(source, [...kept, { ...gone, platform: ARM64 }, attestation(source, gone)]);
    expect(await readIndex(await prune(source, index))).toMatchObject({ manifests: kept });
  });

  test("rewrites the outer index when an inner one changes", async () => {
    const source = memorySource();
    const image = { ...addImage(source, "amd"), platform: AMD64 };
    const inner = addIndex(source, [image, { ...absent(OCI_MANIFEST), platform: ARM64 }]);
    const expected = describeBytes(
      OCI_INDEX,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image] })),
    );
    const outcome = await prune(source, addIndex(source, [inner]));
    expect(await readIndex(outcome)).toMatchObject({ manifests: [expected] });
  });

  test("refuses an index of which nothing is there, and names what it wanted", async () => {
    const source = memorySource();
    const index = addIndex(source, [{ ...absent(OCI_MANIFEST), platform: ARM64 }]);
    const failure = await prune(source, index).catch(error => error);
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure).toMatchObject({ reason: "no-image", message: expect.stringContaining("linux/arm64") });
  });

  test("leaves a single image alone, whole or not", async () => {
    const source = memorySource();
    const image = addImage(source, "a", { layers: [absent(OCI_LAYER_GZIP)] });
    expect((await prune(source, image)).roots).toEqual([settledRoot(image)]);
  });
});
