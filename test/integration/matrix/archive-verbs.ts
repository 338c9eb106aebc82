// Verbs on an archive alone, each compared with what the producer says.
import { expect } from "vitest";
import { convert, type Inspection, inspect, verify } from "../../../src/index.ts";
import { limits } from "./limits.ts";
import type { ExpectedImage, Subject } from "./subject.ts";

/** An image without its names. */
export function bare(images: readonly ExpectedImage[]): readonly object[] {
  return images.map(({ imageId, diffIds }) => ({ imageId, diffIds })).sort(byId);
}

export function byId(left: { readonly imageId: string }, right: { readonly imageId: string }): number {
  return left.imageId < right.imageId ? -1 : 1;
}

/** The images of an inspection, those of an index under its names; artifacts left out. */
export function imagesOf(
  { images }: Pick<Inspection, "images">,
  { artifacts }: Subject,
): (ExpectedImage & { names: string[] })[] {
  return images.flatMap(({ names, platforms }) =>
    platforms
      .filter(({ digest }) => !artifacts.includes(digest ?? ""))
      .map(({ digest, config, layers }) => ({
        names: [...names].sort(),
        imageId: config ?? "",
        diffIds: layers.map(({ diffId }) => diffId ?? ""),
        ...(digest === undefined ? {} : { manifestDigest: digest }),
      })),
  );
}

export async function inspects(subject: Subject): Promise<void> {
  const inspection = await inspect(subject.path);
  const found = imagesOf(inspection, subject);
  const expected = subject.images.map(image => ({ ...image, names: [...image.names].sort() }));
  // Where the archive has no manifest of the registry's, its digest is nobody's business.
  const isKept = expected.some(({ manifestDigest }) => manifestDigest !== undefined);
  const shown = found.map(({ manifestDigest, ...image }) => (isKept ? { ...image, manifestDigest } : image));
  expect(shown.sort(byId)).toEqual(expected.sort(byId));
  const roots = inspection.images.map(({ digest }) => digest);
  // What refers to an image, from its index or from outside, is counted with it.
  const counts = inspection.images.flatMap(({ referrers }) => referrers ?? []);
  const referring = counts.reduce(
    (sum, { signatures, sboms, attestations, others }) => sum + signatures + sboms + attestations + others,
    0,
  );
  expect(subject.artifacts.filter(digest => !roots.some(root => root === digest))).toHaveLength(referring);
  expect(inspection.images.flatMap(({ absent }) => absent)).toHaveLength(subject.absent.length);
  if (subject.indexDigest !== undefined) {
    expect(inspection.images.map(({ digest }) => digest)).toContain(subject.indexDigest);
  }
}

export async function verifies(subject: Subject): Promise<void> {
  const { faults, unchecked } = await verify(subject.path, { diffIds: true });
  expect(faults).toEqual([]);
  const absent = unchecked.filter(text => subject.absent.some(digest => text.includes(digest)));
  expect(absent).toHaveLength(Math.min(subject.absent.length, 1));
  expect(unchecked.filter(text => !absent.includes(text))).toEqual(mislabelled(subject));
}

export function mislabelled({ name }: Subject): readonly unknown[] {
  return limits[name]?.isMislabelled === true
    ? [expect.stringContaining("its manifest says gzip, but the layer is raw")]
    : [];
}

/** Offline into another form; images and their order may be fewer in docker's, which has one platform of each. */
export async function converts(subject: Subject, path: string, format: "docker" | "oci"): Promise<string> {
  const converted = convert(subject.path, { output: path, format });
  if (format === "docker" && subject.images.length === 0) {
    await expect(converted).rejects.toThrow("Cannot write docker archive: no image to write");
    return "no image";
  }
  await converted;
  const unchecked = format === "docker" ? [] : mislabelled(subject);
  expect(await verify(path, { diffIds: true })).toMatchObject({ faults: [], unchecked });
  const found = imagesOf(await inspect(path), subject);
  const known = new Set(subject.images.map(({ imageId }) => imageId));
  if (format === "docker") {
    expect(subject.images).toEqual(
      expect.arrayContaining(found.map(({ imageId, diffIds }) => expect.objectContaining({ imageId, diffIds }))),
    );
    expect(found.length).toBeGreaterThan(0);
    return "yes";
  }
  expect(new Set(found.map(({ imageId }) => imageId))).toEqual(known);
  for (const { imageId, diffIds, manifestDigest } of subject.images) {
    const same = found.filter(image => image.imageId === imageId);
    expect(same).toContainEqual(expect.objectContaining({ imageId, diffIds }));
    if (manifestDigest !== undefined) expect(same.map(image => image.manifestDigest)).toContain(manifestDigest);
  }
  return "yes";
}
