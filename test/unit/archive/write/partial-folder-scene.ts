import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type LayoutFolderOptions, layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { copyImages } from "../../../../src/copy/copy-image.ts";
import { openDigestCache } from "../../../../src/copy/digest-cache.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { digestHex } from "../../../../src/oci/digest.ts";
import { OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { fixedPace } from "../../../../src/util/pace/pace.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { noise, partsBlob, sha256Of } from "../../../support/memory-blobs.ts";
import { addImage, type MemorySource, memorySource, settledRoot } from "../../../support/memory-image.ts";

export const platform: { readonly os: string; readonly architecture: string } = { os: "linux", architecture: "amd64" };

export interface Scene {
  readonly above: string;
  readonly out: string;
  readonly partial: string;
  readonly blobs: string;
  readonly source: MemorySource;
  readonly root: ReturnType<typeof settledRoot>;
  readonly layers: readonly string[];
}

const LAYERS = [1, 2, 3, 4].map(seed => noise(300_000 + seed, seed));
export const layerBytes = (seed: number): Uint8Array => LAYERS[seed - 1] ?? new Uint8Array();

/** An image of three layers, by their seeds. */
export function image(seeds: readonly number[]): Pick<Scene, "source" | "root" | "layers"> {
  const source = memorySource();
  const layers = seeds.map(seed => source.add(OCI_LAYER_GZIP, layerBytes(seed)));
  return {
    source,
    root: settledRoot(addImage(source, "app", { layers }), "registry.lan/app:1"),
    layers: layers.map(({ digest }) => digestHex(digest)),
  };
}

export async function scene(above?: string): Promise<Scene> {
  above ??= await temporaryFolder();
  const out = join(above, "out");
  const partial = `${out}.partial`;
  return { above, out, partial, blobs: join(partial, "blobs", "sha256"), ...image([1, 2, 3]) };
}

export async function write(
  { out, source, root }: Pick<Scene, "out" | "source" | "root">,
  options: Partial<LayoutFolderOptions> = {},
): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  source.asked.length = 0;
  await copyImages({
    plan: await gather(source, [root]),
    source,
    target: layoutFolderTarget(out, { platform, ...options }),
    sourceName: "memory",
    cache: await openDigestCache(undefined),
    pace: fixedPace(1),
    onProgress: event => void events.push(event),
  });
  return events;
}

/** What a run leaves that breaks off while the smallest layer comes: the other two are whole. */
export async function breakOff({ out, root, layers }: Scene, onNote?: (text: string) => void): Promise<void> {
  const { source } = image([1, 2, 3]);
  const last = { mediaType: OCI_LAYER_GZIP, digest: `sha256:${layers[0] ?? ""}` as const, size: layerBytes(1).length };
  source.addBlob(last, partsBlob(layerBytes(1).subarray(0, 1000), 100, { breaksWith: new Error("cable pulled") }));
  await expect(write({ out, source, root }, { onNote })).rejects.toThrow("cable pulled");
}

export async function expectWhole({ above, out, partial, layers }: Scene): Promise<void> {
  expect(await readdir(above)).toEqual(["out"]);
  const names = await readdir(join(out, "blobs", "sha256"));
  expect(names).toEqual(expect.arrayContaining([...layers]));
  expect(names).toHaveLength(layers.length + 2);
  for (const name of names) expect(sha256Of(await readFile(join(out, "blobs", "sha256", name)))).toBe(`sha256:${name}`);
  expect((await readdir(out)).sort()).toEqual(["blobs", "imgpack.json", "index.json", "oci-layout"]);
  await expect(stat(partial)).rejects.toThrow();
}

/** Layers that the source was asked for. */
export const fetched = ({ source, layers }: Pick<Scene, "source" | "layers">): readonly string[] =>
  source.asked.map(digestHex).filter(hex => layers.includes(hex));
