import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { copyTo, lock, pull, push, tags, verify } from "../../src/index.ts";
import { countVisits } from "../support/count-visits.ts";
import { temporaryFolder } from "../support/images.ts";
import { type RunningSynthetic, startSynthetic } from "../support/synthetic/start-synthetic.ts";
import type { SyntheticShape } from "../support/synthetic/synthetic-shape.ts";

async function synthetic(shape: Partial<SyntheticShape>): Promise<RunningSynthetic> {
  const running = await startSynthetic(shape);
  onTestFinished(async () => await running.close());
  return running;
}

const namesOf = ({ host, registry }: RunningSynthetic): readonly string[] =>
  [...registry.images.names()].map(name => `${host}/${name}`);

/** A base that all images share, and layers of their own. */
const LAYERS = { layers: 4, sharedLayers: 3, bases: 1 };

// More than 16: a lock says what each image needs from 17 repositories on that share a blob.
const FEW = 17;

test.each([
  ["in a repository each", (count: number) => ({ ...LAYERS, repositories: count })],
  ["in one repository", (count: number) => ({ ...LAYERS, tagsPerRepository: count })],
  ["with signatures", (count: number) => ({ ...LAYERS, repositories: count, referrers: 1 })],
])("twice as many images %s are twice the work to lock and to plan, not four times", async (_where, shapeOf) => {
  const output = join(await temporaryFolder(), "out.tar");
  const works = { lock: [] as number[], pull: [] as number[] };
  for (const count of [FEW, 2 * FEW, 4 * FEW]) {
    const registry = await synthetic(shapeOf(count));
    const names = namesOf(registry);
    works.lock.push(await countVisits(async () => await lock(names)));
    works.pull.push(await countVisits(async () => await pull(names, { output, dryRun: true })));
  }
  for (const [few = 0, more = 0, most = 0] of Object.values(works)) {
    expect(more - few).toBeGreaterThan(FEW * 100);
    // What is left after a part for the run and a part for each image: visits for each pair of images.
    expect((most - 3 * more + 2 * few) / (6 * FEW ** 2)).toBeLessThan(0.4);
  }
});

test("the number of requests is the same for each image, and the tags of a repository are listed once", async () => {
  for (const count of [10, 20]) {
    const apart = await synthetic({ repositories: count });
    await lock(namesOf(apart));
    expect(apart.counts.kinds).toEqual({
      "GET manifests": count,
      "GET blobs": count,
      "GET referrers": count,
      "GET tags": count,
    });
    const together = await synthetic({ tagsPerRepository: count, pageSize: 5 });
    await lock(namesOf(together));
    expect(together.counts.kinds).toEqual({
      "GET manifests": count,
      "GET blobs": count,
      "GET referrers": 1,
      "GET tags": count / 5,
    });
  }
});

test("a manifest of 4 MiB and an image of 150 layers go from registry to archive to registry", async () => {
  const folder = await temporaryFolder();
  const target = await synthetic({});
  for (const shape of [{ manifestBytes: 4 * 1024 * 1024 }, { layers: 150 }]) {
    const registry = await synthetic(shape);
    const output = join(folder, "out.tar");
    await rm(output, { force: true });
    const [name = ""] = namesOf(registry);
    const image = registry.registry.images.image(0);
    await pull([name], { output });
    expect((await verify([output])).faults).toEqual([]);
    await push([output], { to: `${target.host}/pushed` });
    await copyTo([name], `${target.host}/copied`);
    const manifests = [...target.registry.pushed].filter(([key]) => key.endsWith(image.descriptor.digest));
    expect(manifests).toHaveLength(2);
    for (const [, { bytes }] of manifests) expect(bytes.equals(image.bytes)).toBe(true);
  }
});

test("lists of tags that are longer than a page come whole, and a glob finds what it matches", async () => {
  const registry = await synthetic({ tagsPerRepository: 2500 });
  const repository = `${registry.host}/synthetic/app-00000`;
  const listed = await tags(repository);
  expect(listed.tags).toHaveLength(2500);
  expect(registry.counts.kinds).toEqual({ "GET tags": 3 });
  expect((await lock([`${repository}:1.0000*`])).images).toHaveLength(10);
});

test("layers of zeros are downloaded without being held, and have the digests that the manifest states", async () => {
  const registry = await synthetic({ repositories: 2, layerKind: "zeros", layerBytes: 3_000_000 });
  const output = join(await temporaryFolder(), "out.tar");
  await pull(namesOf(registry), { output });
  expect((await verify([output])).faults).toEqual([]);
});
