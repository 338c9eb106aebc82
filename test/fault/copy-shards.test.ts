// Several runs share the images of one copy: together they do what one run does.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CopyResult, copyTo, lock } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { type BuiltImage, putImage, putIndex } from "../unit/verbs/query/listed-registry.ts";
import {
  plannedTwice,
  putSharingImages,
  sentBlobs,
  sentTwice,
  sharedLayers,
  stopAtUpload,
  tagsOf,
} from "./shards-support.ts";

ownEnvironment();

const COUNT = 12;

interface Two {
  readonly from: ScriptedRegistry;
  readonly to: ScriptedRegistry;
  readonly sources: readonly string[];
  readonly target: string;
  /** Copied whole. */
  readonly tags: readonly string[];
}

async function startTwo(): Promise<Two> {
  const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
  const names = putSharingImages(from.content, COUNT);
  return {
    from,
    to,
    sources: names.map(name => `${from.host}/${name}`),
    target: `${to.host}/mirror`,
    tags: names.map(name => `mirror/${name}`).sort(),
  };
}

async function copyShards(two: Two, of: number, at = [...Array(of).keys()]): Promise<readonly CopyResult[]> {
  return await Promise.all(at.map(async index => await copyTo(two.sources, two.target, { shard: `${index}/${of}` })));
}

/** A run without a shard: nothing is left to send. */
async function expectComplete({ to, sources, target, tags }: Two): Promise<void> {
  expect(tagsOf(to.content)).toEqual(tags);
  const before = to.requests.length;
  const { images, bytesSent } = await copyTo(sources, target);
  expect(images).toHaveLength(COUNT);
  expect(bytesSent).toBe(0);
  expect(to.requests.slice(before).filter(({ method }) => method !== "HEAD" && method !== "GET")).toEqual([]);
}

describe("copyTo() with a shard", () => {
  test.each([1, 3, 13])("%i shards at once copy each image, and no blob twice but those planned", async of => {
    const two = await startTwo();
    const results = await copyShards(two, of);
    expect(results.flatMap(({ images }) => images.map(({ source }) => source)).sort()).toEqual(two.sources.toSorted());
    expect(results.map(({ shard }) => [shard?.index, shard?.of, shard?.ofImages])).toEqual(
      results.map((_, index) => [index, of, COUNT]),
    );
    expect(results.map(({ shard }) => shard?.images)).toEqual(results.map(({ images }) => images.length));
    expect(sentTwice(two.to)).toBeLessThanOrEqual(plannedTwice(results.map(({ shard }) => shard)));
    await expectComplete(two);
  });

  test("one shard after the other sends no blob twice", async () => {
    const two = await startTwo();
    for (const index of [0, 1, 2]) await copyShards(two, 3, [index]);
    expect(sentTwice(two.to)).toBe(0);
    await expectComplete(two);
  });

  test.each([1, 5, 12])(
    "a shard that is stopped at upload %i leaves whole images, and is done by another run",
    async at => {
      const two = await startTwo();
      const signal = stopAtUpload(two.to, at);
      await expect(copyTo(two.sources, two.target, { shard: "1/2", signal })).rejects.toThrow("node lost");
      const left = tagsOf(two.to.content);
      expect(two.tags).toEqual(expect.arrayContaining([...left]));
      await copyShards(two, 2);
      await expectComplete(two);
    },
  );

  test("more shards than images: the others are empty, and say so", async () => {
    const two = await startTwo();
    const notes: string[] = [];
    const onProgress = (event: { readonly kind: string; readonly message?: string }): void => {
      if (event.kind === "note") notes.push(event.message ?? "");
    };
    const { images, shard } = await copyTo(two.sources, two.target, { shard: "39/40", onProgress });
    expect(images).toEqual([]);
    expect(shard).toEqual({
      index: 39,
      of: 40,
      images: 0,
      ofImages: COUNT,
      blobs: 0,
      bytes: 0,
      twice: { blobs: 0, bytes: 0 },
    });
    expect(notes).toEqual([`Shard 39/40 has none of ${COUNT} images: nothing to do`]);
    expect(two.to.requests).toEqual([]);
  });

  test("a dry run plans the same shard, and sends nothing", async () => {
    const two = await startTwo();
    const planned = await copyTo(two.sources, two.target, { shard: "1/3", dryRun: true });
    expect(two.to.requests.filter(({ method }) => method !== "HEAD" && method !== "GET")).toEqual([]);
    const { shard, images } = await copyTo(two.sources, two.target, { shard: "1/3" });
    expect(planned.shard).toEqual(shard);
    expect(planned.images.map(({ reference }) => reference)).toEqual(images.map(({ reference }) => reference));
    const sent = sentBlobs(two.to);
    expect(shard).toMatchObject({ blobs: sent.length, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) });
  });

  test("the same images in another order have the same shards", async () => {
    const two = await startTwo();
    const [one] = await copyShards(two, 3, [1]);
    const other = await copyTo(two.sources.toReversed(), two.target, { shard: "1/3", dryRun: true });
    expect(other.shard).toEqual(one?.shard);
    expect(other.images.map(({ source }) => source).sort()).toEqual(one?.images.map(({ source }) => source).sort());
  });

  test("an image that does not exist is reported by one shard, and stops no other", async () => {
    const two = await startTwo();
    const sources = [...two.sources, `${two.from.host}/gone:1`];
    const shards = ["0/3", "1/3", "2/3"].map(shard => copyTo(sources, two.target, { shard }));
    const outcomes = await Promise.allSettled(shards);
    const failed = outcomes.flatMap(one => (one.status === "rejected" ? [one.reason] : []));
    expect(failed).toMatchObject([{ exitCode: 10, failed: [`${two.from.host}/gone:1`] }]);
    expect(tagsOf(two.to.content)).toEqual(two.tags);
  });

  test("a registry that cannot say what an image is stops all shards: others would divide the images in another way", async () => {
    const two = await startTwo();
    two.from.addFault({ on: /^GET .*app-7\/manifests/, times: Number.POSITIVE_INFINITY, reply: { status: 403 } });
    for (const shard of ["0/2", "1/2"])
      await expect(copyTo(two.sources, two.target, { shard })).rejects.toMatchObject({ code: "ERR_AUTH" });
    expect(two.to.requests).toEqual([]);
  });

  test("with the lock of the images, the manifests of other shards are not read", async () => {
    const two = await startTwo();
    const locked = await lock(two.sources, { platform: "all" });
    const before = two.from.requests.length;
    const sources = locked.images.map(({ name, digest }) => ({ reference: name, digest }));
    const bytes = Buffer.from(locked.text);
    const { images } = await copyTo(sources, two.target, { shard: "0/4", lock: bytes });
    const read = two.from.requests.slice(before).flatMap(({ path }) => /app-\d+/.exec(path) ?? []);
    expect([...new Set(read)].sort()).toEqual(images.flatMap(({ source }) => /app-\d+/.exec(source) ?? []).sort());
    const others = ["1/4", "2/4", "3/4"].map(async shard => await copyTo(sources, two.target, { shard, lock: bytes }));
    await Promise.all(others);
    expect(tagsOf(two.to.content)).toEqual(two.tags);
    const again = await copyTo(two.sources, two.target, { shard: "0/4", dryRun: true });
    expect(again.images.map(({ digest }) => digest).sort()).toEqual(images.map(({ digest }) => digest).sort());
  });
});

/** More than the repositories that a lock names of a blob. */
const REPOSITORIES = 20;

type Content = ScriptedRegistry["content"];

describe("a lock says what each image needs, so that the plan of shards asks no registry", () => {
  const imageAt = (content: Content, names: readonly string[], number: number, architecture = "amd64"): BuiltImage => {
    const layers = [...sharedLayers(number), seededBytes(architecture, 900)];
    return putImage(content, names, { layers, architecture });
  };

  test.each<[string, (content: Content) => readonly string[], string, boolean]>([
    [
      "several images in one repository",
      content =>
        [0, 1, 2, 3].map(number => {
          imageAt(content, [`app:${number}`], number);
          return `app:${number}`;
        }),
      "all",
      true,
    ],
    ["a layer in many repositories", content => putSharingImages(content, 3 * REPOSITORIES), "all", true],
    [
      "one platform of several, in one repository",
      content =>
        [0, 1, 2, 3].map(number => {
          const [amd64, arm64] = [imageAt(content, [], number), imageAt(content, [], number, "arm64")];
          putIndex(content, [`app:${number}`], { amd64, arm64 });
          return `app:${number}`;
        }),
      "linux/arm64",
      true,
    ],
    ["an image for each repository", content => putSharingImages(content, COUNT), "all", false],
  ])("%s", async (_what, put, platform, hasNeeds) => {
    const { from, to } = { from: await ScriptedRegistry.start(), to: await ScriptedRegistry.start() };
    const names = put(from.content);
    const locked = await lock(
      names.map(name => `${from.host}/${name}`),
      { platform },
    );
    expect(locked.text.includes('"needs":[')).toBe(hasNeeds);
    const sources = locked.images.map(({ name, digest }) => ({ reference: name, digest }));
    const planned = async (shard: string, text = locked.text): Promise<CopyResult> =>
      await copyTo(sources, `${to.host}/x`, { lock: Buffer.from(text), platform, dryRun: true, shard });
    from.requests.length = 0;
    // No image is in it, so that all requests would be those of the plan.
    expect((await planned("999/1000")).shard).toMatchObject({ images: 0, ofImages: names.length });
    expect(from.requests).toEqual([]);
    const two = [await planned("0/2"), await planned("1/2")];
    expect(
      two
        .flatMap(({ images }) => images)
        .map(({ source }) => source)
        .sort(),
    ).toHaveLength(names.length);
    // A lock of before says less: the manifests say the same.
    const old = locked.text.replace(/,\n"needs":\[[^"]*\]/, "");
    expect(old).not.toContain("needs");
    expect((await planned("0/2", old)).shard).toEqual(two[0]?.shard);
  });
});

test("a lock without what images of one repository need: their manifests are read, and no referrers are asked for", async () => {
  const { from, to } = { from: await ScriptedRegistry.start(), to: await ScriptedRegistry.start() };
  for (const number of [0, 1, 2, 3]) {
    putImage(from.content, [`app:${number}`], {
      layers: sharedLayers(number),
      created: `2026-01-01T00:00:0${number}Z`,
    });
  }
  const locked = await lock(
    [0, 1, 2, 3].map(number => `${from.host}/app:${number}`),
    { platform: "all" },
  );
  const sources = locked.images.map(({ name, digest }) => ({ reference: name, digest }));
  const before = from.requests.length;
  const options = { lock: Buffer.from(locked.text.replace(/,\n"needs":\[[^"]*\]/, "")), dryRun: true };
  const { images } = await copyTo(sources, to.host, { ...options, shard: "0/2" });
  const planning = from.requests.slice(before, before + 4).map(({ path }) => path);
  expect(planning.every(path => path.startsWith("/v2/app/manifests/sha256:"))).toBe(true);
  const other = await copyTo(sources, to.host, { ...options, shard: "1/2" });
  expect([...images, ...other.images]).toHaveLength(4);
});

test("copyTo() sends a blob once that images copied at the same time need, and mounts it for the others", async () => {
  const two = await startTwo();
  const { blobs } = await copyTo(two.sources, two.target);
  expect(sentTwice(two.to)).toBe(0);
  // Two systems, and a config and a layer of each image.
  expect(blobs).toMatchObject({ uploaded: 2 + 2 * COUNT, mounted: COUNT - 2, skipped: 0 });
  await expectComplete(two);
});

test("copyTo() sends a blob for the second image if the first one fails to", async () => {
  const two = await startTwo();
  // Of each system, the first upload is refused.
  for (const size of ["40000", "30000"]) {
    two.to.addFault({
      on: /^PUT .*\/blobs\/uploads\//,
      when: ({ headers }) => headers["content-length"] === size,
      reply: { status: 403 },
    });
  }
  await expect(copyTo(two.sources, two.target)).rejects.toMatchObject({ exitCode: 10, failed: { length: 2 } });
  expect(tagsOf(two.to.content)).toHaveLength(COUNT - 2);
});

test("copyTo() gives its images in the order in which they are asked for", async () => {
  const two = await startTwo();
  const { images } = await copyTo(two.sources, two.target);
  expect(images.map(({ source }) => source)).toEqual(two.sources);
});

describe("imgpack copy --shard", () => {
  test.each([
    ["8/8", 'Cannot use --shard "8/8": found shard 8, expected a number from 0 to 7', "--shard 0/8 to --shard 7/8."],
    ["1/0", 'Cannot use --shard "1/0": found 0 shards, expected at least 1', "--shard 0/8 to --shard 7/8."],
    ["3", 'Cannot use --shard "3": found another form, expected I/N, such as 0/8', "--shard 0/8 to --shard 7/8."],
  ])("%s is refused with the right form", async (shard, message, hint) => {
    const outcome = await runCommand("copy", "registry.lan/app:1", "--to", "other.lan", "--shard", shard);
    expect(outcome.exitCode).toBe(2);
    expect(said(outcome)[0]).toBe(message);
    expect(said(outcome)[1]).toContain(hint);
  });

  test("prints the plan of the shard, and its images", async () => {
    const two = await startTwo();
    const outcome = await runCommand("copy", ...two.sources, "--to", two.target, "--shard", "2/3", "--dry-run");
    expect(outcome.exitCode).toBe(0);
    const count = outcome.stdout.trimEnd().split("\n").length;
    expect(outcome.stderr).toMatch(new RegExp(`Shard 2/3: ${count} of ${COUNT} images, \\d+ blobs, [0-9.]+ KiB`));
  });

  test("-f LOCK is the lock of the shard", async () => {
    const two = await startTwo();
    const file = join(await temporaryFolder(), "images.lock");
    const locked = await runCommand("lock", ...two.sources, "--platform", "all", "-o", file);
    expect(locked.exitCode).toBe(0);
    const before = two.from.requests.length;
    const outcome = await runCommand("copy", "-f", file, "--to", two.target, "--shard", "0/4");
    expect(outcome.exitCode).toBe(0);
    const count = outcome.stdout.trimEnd().split("\n").length;
    const read = two.from.requests.slice(before).flatMap(({ path }) => /app-\d+/.exec(path) ?? []);
    expect(new Set(read).size).toBe(count);
  });

  test("a v1 registry has no shards", async () => {
    const outcome = await runCommand("copy", "v1://old.lan/app:1", "--to", "new.lan/x", "--shard", "0/2");
    expect(outcome.exitCode).toBe(2);
    expect(said(outcome)[0]).toBe(
      "Cannot use --shard: found a v1 registry, expected registries of the v2 protocol only",
    );
    expect(said(outcome)[1]).toContain("a list of its own: -f LIST");
  });
});

describe("a shard whose images all fail", () => {
  test("lists its own images alone, and says which shard it is", async () => {
    const two = await startTwo();
    const list = join(await temporaryFolder(), "failed.txt");
    const sources = ["a", "b", "c"].map(name => `${two.from.host}/gone/${name}:1`);
    const found: string[] = [];
    for (const index of [0, 1, 2]) {
      const words = ["copy", ...sources, "--to", two.target, "--shard", `${index}/3`, "--failed-list", list, "--json"];
      const { exitCode, stdout } = await runCommand(...words);
      const { failed, shard } = JSON.parse(stdout);
      expect(exitCode).toBe(5);
      expect(failed).toHaveLength(1);
      expect(shard).toMatchObject({ index, of: 3, images: 1, ofImages: 3 });
      expect(readFileSync(list, "utf8")).toBe(`${failed[0]}\n`);
      found.push(...failed);
    }
    expect(found.sort()).toEqual(sources);
  });
});

describe("names of one image in one repository", () => {
  test("are in one shard, which sends the image once", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const digest = putImage(from.content, ["team/app:1", "team/app:2"], { layers: [seededBytes("one", 900)] }).digest;
    const app = `${from.host}/team/app`;
    const sources = [`${app}:1`, `${app}:2`, `${app}@${digest}`, `${app}:1@${digest}`, `${app}:1`];
    const results = await Promise.all(
      [0, 1, 2].map(async index => await copyTo(sources, `${to.host}/mirror`, { shard: `${index}/3` })),
    );
    expect(results.map(({ images }) => images.length).sort()).toEqual([0, 0, sources.length]);
    expect(results.map(({ shard }) => shard?.images)).toEqual(results.map(({ images }) => images.length));
    expect(results.map(({ shard }) => [shard?.ofImages, shard?.twice.blobs])).toEqual(
      results.map(() => [sources.length, 0]),
    );
    expect(sentTwice(to)).toBe(0);
  });
});
