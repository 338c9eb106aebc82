import { readFile, stat, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { golden, goldenImage } from "./peers/goldens.ts";
import { heldManifest, sha256 } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";
import { createScene, type Scene } from "./peers/scene.ts";

const multi = golden("multi-platform-oci.tar");
const [amd64, arm64] = multi.images;

async function entry(archive: string, name: string): Promise<Buffer> {
  const { code, stdoutBytes, stderr } = await run("tar", ["--extract", "--to-stdout", "--file", archive, name]);
  if (code !== 0) throw new Error(stderr);
  return stdoutBytes;
}

async function hasEntry(archive: string, name: string): Promise<boolean> {
  return (await run("tar", ["--list", "--file", archive])).stdout.split("\n").includes(name);
}

function blobName(digest: string | undefined): string {
  return `blobs/${digest?.replace(":", "/")}`;
}

describeWith(["docker-registry", "tar"], "imgpack pull", () => {
  let scene: Scene;
  let host: string;
  beforeAll(async () => {
    scene = await createScene();
    host = scene.registry.host;
  });
  afterAll(() => scene?.close());

  test("imgpack pull writes the same bytes each time, and verify accepts them", async () => {
    const names = [`${host}/hello:latest`, `${host}/large:1`];
    const [first, second] = [
      await scene.pulled("a.tar", ...names),
      await scene.pulled("b.tar", ...[...names].reverse(), "--concurrency", "1"),
    ];
    expect(sha256(await readFile(first))).toBe(sha256(await readFile(second)));
    expect(await scene.imgpack.verify(first)).toMatchObject({ faults: [], unchecked: [], images: 2 });
  });

  test("imgpack pull then push into an empty registry gives the identical manifest digests", async () => {
    const names = ["hello:latest", "app:1.0", "base:1.0", "multi:1.0", "large:1"];
    const references = names.map(name => `${host}/${name}`);
    const archive = await scene.pulled("all.tar", ...references, "--platform", "all");
    const empty = await startDockerRegistry();
    try {
      await scene.imgpack.push([archive, "--registry", empty.host]);
      for (const name of names) {
        const [repository = "", tag = ""] = name.split(":");
        const [before, after] = await Promise.all(
          [scene.registry, empty].map(({ url }) => heldManifest(url, repository, tag)),
        );
        expect(after?.bytes.equals(before?.bytes ?? Buffer.alloc(0))).toBe(true);
      }
    } finally {
      await empty.close();
    }
  });

  test("imgpack pull of several references stores a shared layer once", async () => {
    const { blobs, images } = await scene.imgpack.pull([`${host}/base:1.0`, `${host}/app:1.0`, "-o", scene.path("s")]);
    const distinct = new Set<string>();
    for (const name of ["base", "app"]) {
      const { config, layers } = await heldManifest(scene.registry.url, name, "1.0");
      for (const { digest } of [config ?? { digest: "" }, ...layers]) distinct.add(digest);
    }
    expect(blobs).toBe(distinct.size);
    expect(distinct.size).toBe(4);
    expect(images.map(({ names }) => names)).toEqual([[`${host}/base:1.0`], [`${host}/app:1.0`]]);
    const { stdout } = await run("tar", ["--list", "--file", scene.path("s")]);
    expect(stdout.split("\n").filter(name => name.startsWith("blobs/"))).toHaveLength(6);
  });

  for (const [title, flags, here, absent] of [
    ["--platform linux/amd64", ["--platform", "linux/amd64"], amd64, arm64],
    ["--platform linux/arm64", ["--platform", "linux/arm64"], arm64, amd64],
  ] as const) {
    test(`imgpack pull ${title} keeps the index's bytes and brings one image`, async () => {
      const archive = await scene.pulled("one.tar", `${host}/multi:1.0`, ...flags);
      expect(sha256(await entry(archive, blobName(multi.indexDigest)))).toBe(multi.indexDigest);
      const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
      expect(image).toMatchObject({ Config: blobName(here?.imageId), RepoTags: [`${host}/multi:1.0`] });
      expect(await hasEntry(archive, blobName(here?.manifestDigest))).toBe(true);
      expect(await hasEntry(archive, blobName(absent?.manifestDigest))).toBe(false);
      expect(await scene.imgpack.verify(archive)).toMatchObject({ faults: [] });
    });
  }

  test("imgpack pull takes this machine's platform without --platform, and all with --platform all", async () => {
    const own = process.arch === "arm64" ? arm64 : amd64;
    const one = await scene.pulled("own.tar", `${host}/multi:1.0`);
    const all = await scene.pulled("both.tar", `${host}/multi:1.0`, "--platform", "all");
    for (const archive of [one, all]) {
      const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
      expect(image.Config).toBe(blobName(own?.imageId));
      expect(sha256(await entry(archive, blobName(multi.indexDigest)))).toBe(multi.indexDigest);
    }
    const shown = await scene.imgpack.inspect(all);
    expect(shown.images[0]?.platforms.map(({ config }) => config)).toEqual([amd64?.imageId, arm64?.imageId]);
    expect(shown.images[0]?.absent).toEqual([]);
    const [image] = (await scene.imgpack.inspect(one)).images;
    expect(image?.absent).toEqual([process.arch === "arm64" ? "linux/amd64" : "linux/arm64"]);
  });

  test("imgpack pull by digest brings the image without inventing a tag", async () => {
    const { digest } = await heldManifest(scene.registry.url, "hello", "latest");
    const archive = await scene.pulled("digest.tar", `${host}/hello@${digest}`);
    const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
    expect(image).toMatchObject({ Config: blobName(goldenImage("docker20-hello.tar").imageId), RepoTags: null });
  });

  test("imgpack pull of an unknown tag ends with exit code 5 and leaves the old file as it was", async () => {
    await writeFile(scene.path("old.tar"), "old");
    const missing = await scene.imgpack.run(["pull", `${host}/hello:none`, "-o", scene.path("old.tar")]);
    expect(missing).toMatchObject({
      code: 5,
      stdout: "",
      stderr: expect.stringContaining(`none from ${host}/hello: status 404`),
    });
    expect(await readFile(scene.path("old.tar"), "utf8")).toBe("old");
    await expect(stat(scene.path("old.tar.partial"))).rejects.toThrow("ENOENT");
  });
});
