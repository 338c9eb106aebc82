// Several runs share the images of one push: together they do what one run does.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type PushResult, pull, push } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { plannedTwice, putSharingImages, sentTwice, sharedLayers, stopAtUpload, tagsOf } from "./shards-support.ts";

ownEnvironment();

const COUNT = 8;

interface Source {
  readonly archives: readonly string[];
  /** At the target, when all is pushed. */
  readonly tags: readonly string[];
}

/** An archive that `pull` wrote; in volumes, with an image twice. */
async function pulled(volumeSize?: string): Promise<Source> {
  const from = await ScriptedRegistry.start();
  const names = putSharingImages(from.content, COUNT);
  const references = names.map(name => `${from.host}/${name}`);
  const output = join(await temporaryFolder(), "site.tar");
  const { volumes } = await pull(references, { output, platform: "all", volumeSize });
  return { archives: volumes?.map(({ path }) => path) ?? [output], tags: names.map(name => `in/${name}`).sort() };
}

/** Archives of docker save, with raw layers. */
async function saved(): Promise<Source> {
  const archives = await Promise.all(
    Array.from({ length: COUNT }, async (_, image) => {
      const layers = sharedLayers(image).map(layer => tarOf(layer));
      return await fileWith(dockerArchive({ tags: [`team/app-${image}:1`, `team/other-${image}:2`], layers }));
    }),
  );
  const tags = [...archives.keys()].flatMap(image => [`in/team/app-${image}:1`, `in/team/other-${image}:2`]);
  return { archives, tags: tags.sort() };
}

async function pushShards({ archives }: Source, to: ScriptedRegistry, of: number): Promise<readonly PushResult[]> {
  const shards = Array.from({ length: of }, (_, index) => `${index}/${of}`);
  return await Promise.all(shards.map(async shard => await push(archives, { to: `${to.host}/in`, shard })));
}

async function expectComplete({ archives, tags }: Source, to: ScriptedRegistry): Promise<void> {
  expect(tagsOf(to.content)).toEqual(tags);
  const before = to.requests.length;
  const { blobs } = await push(archives, { to: `${to.host}/in` });
  expect(blobs.uploaded).toBe(0);
  expect(to.requests.slice(before).filter(({ path, method }) => method === "PUT" && path.includes("/blobs/"))).toEqual(
    [],
  );
}

describe("push() with a shard", () => {
  test.each<[string, () => Promise<Source>, number]>([
    ["an archive", pulled, 1],
    ["an archive", pulled, 3],
    ["an archive", pulled, 20],
    ["volumes", async () => await pulled("100000"), 3],
    ["raw layers in several archives", saved, 3],
  ])(
    "%s in %# shards at once: each image once with all of its names, and no blob twice but those planned",
    async (_, source, of) => {
      const given = await source();
      const to = await ScriptedRegistry.start();
      const results = await pushShards(given, to, of);
      const references = results.flatMap(({ images }) => images.map(({ reference }) => reference));
      expect(references.sort()).toEqual(given.tags.map(tag => `${to.host}/${tag}`));
      expect(results.reduce((sum, { shard }) => sum + (shard?.images ?? 0), 0)).toBe(COUNT);
      expect(sentTwice(to)).toBeLessThanOrEqual(plannedTwice(results.map(({ shard }) => shard)));
      await expectComplete(given, to);
    },
  );

  test.each([2, 7])("that is stopped at upload %i leaves whole images, and is done by another run", async at => {
    const source = await pulled();
    const to = await ScriptedRegistry.start();
    const signal = stopAtUpload(to, at);
    const options = { to: `${to.host}/in`, shard: "0/2", signal };
    await expect(push(source.archives, options)).rejects.toThrow("node lost");
    expect(source.tags).toEqual(expect.arrayContaining([...tagsOf(to.content)]));
    await pushShards(source, to, 2);
    await expectComplete(source, to);
  });

  test("a dry run plans the same shard, and sends nothing", async () => {
    const { archives } = await pulled();
    const to = await ScriptedRegistry.start();
    const planned = await push(archives, { to: `${to.host}/in`, shard: "1/3", dryRun: true });
    expect(to.requests).toEqual([]);
    const { shard, images } = await push(archives, { to: `${to.host}/in`, shard: "1/3" });
    expect(planned.shard).toEqual(shard);
    expect(planned.images.map(({ reference }) => reference)).toEqual(images.map(({ reference }) => reference));
  });

  test("an archive that cannot be read stops all shards: others would divide the images in another way", async () => {
    const { archives } = await pulled();
    const bad = await fileWith(Buffer.from("no archive"), "bad.tar");
    const to = await ScriptedRegistry.start();
    for (const shard of ["0/2", "1/2"])
      await expect(push([...archives, bad], { to: to.host, shard })).rejects.toMatchObject({ code: "ERR_ARCHIVE" });
    expect(to.requests).toEqual([]);
  });
});

test("push() sends a blob once that repositories pushed at the same time need, and mounts it for the others", async () => {
  const source = await pulled();
  const to = await ScriptedRegistry.start();
  to.content.isApart = true;
  const { blobs } = await push(source.archives, { to: `${to.host}/in` });
  expect(sentTwice(to)).toBe(0);
  expect(blobs).toMatchObject({ uploaded: 2 + 2 * COUNT, mounted: COUNT - 2, skipped: 0 });
  await expectComplete(source, to);
});

test("push() compresses a raw layer once that repositories pushed at the same time need", async () => {
  const layers = [tarOf(seededBytes("raw", 2_000_000))];
  const tags = ["app:1", "other:1", "third:1"];
  const to = await ScriptedRegistry.start();
  to.content.isApart = true;
  const { blobs } = await push([await fileWith(dockerArchive({ tags, layers }))], { to: to.host });
  expect(blobs).toMatchObject({ uploaded: 2, mounted: 4 });
  expect(tagsOf(to.content)).toEqual(tags);
});

test("imgpack push --shard refuses stdin, which one machine alone has", async () => {
  const outcome = await runCommand("push", "-", "--to", "registry.lan/in", "--shard", "0/2");
  expect(outcome.exitCode).toBe(2);
  expect(said(outcome)).toEqual([
    "Cannot use --shard: found an archive on stdin, expected the name of a file",
    "Each shard reads the archive itself: save it to a file that all machines can read.",
  ]);
});

/** A tar with one file. */
function tarOf(bytes: Buffer): Buffer {
  return Buffer.from(tarArchive([tarEntry({ name: "file", body: bytes })]));
}
