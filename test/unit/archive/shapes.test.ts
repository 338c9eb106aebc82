import { expect, test } from "vitest";
import type { ImageSource, Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { fullName } from "../../support/full-name.ts";
import { shapeArchives } from "../../support/shape-archives.ts";
import { openBytes, refusal } from "./archive-builder.ts";

interface ReadImage {
  readonly names: readonly string[];
  readonly configDigest: Digest;
  readonly diffIds: readonly string[];
  readonly manifestDigest?: Digest;
}

async function json(source: ImageSource, descriptor: Descriptor): Promise<ReturnType<typeof JSON.parse>> {
  const bytes = await readBlob(await source.blob(descriptor), descriptor.size);
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

/** The images at and below a root, as its config tells of them. */
async function imagesOf(source: ImageSource, root: Root): Promise<readonly ReadImage[]> {
  if (root.kind === "draft") return [await imageOf(source, root.names, root.draft.config)];
  const images: ReadImage[] = [];
  const descriptors: Descriptor[] = [root.descriptor];
  for (const descriptor of descriptors) {
    const { config, manifests } = await json(source, descriptor);
    if (manifests !== undefined) descriptors.push(...manifests);
    else images.push({ ...(await imageOf(source, root.names, config)), manifestDigest: descriptor.digest });
  }
  return images;
}

async function imageOf(source: ImageSource, names: readonly string[], config: Descriptor): Promise<ReadImage> {
  const { diff_ids: diffIds } = (await json(source, config)).rootfs;
  return { names, configDigest: config.digest, diffIds };
}

function byConfig(left: { readonly configDigest: string }, right: { readonly configDigest: string }): number {
  return left.configDigest < right.configDigest ? -1 : 1;
}

for (const { name, bytes, expected } of shapeArchives()) {
  if ("refused" in expected) {
    test(`openArchive() refuses "${name}" and says why`, async () => {
      const error = await refusal(openBytes(bytes));
      expect(error).toMatchObject({ exitCode: expect.any(Number) });
      expect(error.message).toMatch(expected.refused);
    });
    continue;
  }

  test(`openArchive() reads "${name}": names, config digest, diff_ids`, async () => {
    const source = await openBytes(bytes);
    const found = (await Promise.all(source.images.map(async root => await imagesOf(source, root)))).flat();
    const isKept = expected.images.some(({ manifestDigest }) => manifestDigest !== undefined);
    // Where the producer's manifest is not kept, its digest is nobody's business.
    const shown = found.map(({ manifestDigest, ...image }) => (isKept ? { ...image, manifestDigest } : image));
    const wanted = expected.images.map(image => ({ ...image, names: image.names.map(fullName) }));
    expect(shown.sort(byConfig)).toEqual(wanted.sort(byConfig));
  });
}
