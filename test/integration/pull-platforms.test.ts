import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspect, type PullOptions, type PullResult, pull, push, verify } from "../../src/index.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture, golden, goldenImage } from "./peers/goldens.ts";
import { heldManifest, sha256 } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

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

describeWith(["docker-registry", "tar"], "pull() from docker-registry", () => {
  let registry: DockerRegistry;
  let temp: TempFolder;
  let host: string;
  beforeAll(async () => {
    [registry, temp] = await Promise.all([startDockerRegistry(), createTempFolder()]);
    host = registry.host;
    const files = ["docker20-hello.tar", "docker20-shared.tar", "multi-platform-oci.tar"].map(fixture);
    await push(files, { registry: host, cacheDir: path("cache") });
  });
  afterAll(async () => {
    await Promise.all([registry?.close(), temp?.remove()]);
  });

  const path = (name: string): string => join(temp.path, name);
  const pulled = async (
    file: string,
    names: readonly string[],
    options: Partial<PullOptions> = {},
  ): Promise<PullResult> => await pull(names, { ...options, output: path(file) });

  test("pull() of several references stores a shared layer once", async () => {
    const { blobs, images } = await pulled("s", [`${host}/base:1.0`, `${host}/app:1.0`]);
    const distinct = new Set<string>();
    for (const name of ["base", "app"]) {
      const { config, layers } = await heldManifest(registry.url, name, "1.0");
      for (const { digest } of [config ?? { digest: "" }, ...layers]) distinct.add(digest);
    }
    expect(blobs).toBe(distinct.size);
    expect(distinct.size).toBe(4);
    expect(images.map(({ names }) => names)).toEqual([[`${host}/base:1.0`], [`${host}/app:1.0`]]);
    const { stdout } = await run("tar", ["--list", "--file", path("s")]);
    expect(stdout.split("\n").filter(name => name.startsWith("blobs/"))).toHaveLength(6);
  });

  for (const [platform, here, absent] of [
    ["linux/amd64", amd64, arm64],
    ["linux/arm64", arm64, amd64],
  ] as const) {
    test(`pull() of ${platform} keeps the index's bytes and brings one image`, async () => {
      const archive = path("one.tar");
      await pulled("one.tar", [`${host}/multi:1.0`], { platform });
      expect(sha256(await entry(archive, blobName(multi.indexDigest)))).toBe(multi.indexDigest);
      const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
      expect(image).toMatchObject({ Config: blobName(here?.imageId), RepoTags: [`${host}/multi:1.0`] });
      expect(await hasEntry(archive, blobName(here?.manifestDigest))).toBe(true);
      expect(await hasEntry(archive, blobName(absent?.manifestDigest))).toBe(false);
      expect(await verify(archive, { diffIds: true })).toMatchObject({ faults: [] });
    });
  }

  test("pull() takes this machine's platform without an option, and all where it is asked to", async () => {
    const own = process.arch === "arm64" ? arm64 : amd64;
    const [one, all] = [path("own.tar"), path("both.tar")];
    await pulled("own.tar", [`${host}/multi:1.0`]);
    await pulled("both.tar", [`${host}/multi:1.0`], { platform: "all" });
    for (const archive of [one, all]) {
      const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
      expect(image.Config).toBe(blobName(own?.imageId));
      expect(sha256(await entry(archive, blobName(multi.indexDigest)))).toBe(multi.indexDigest);
    }
    const shown = await inspect(all);
    expect(shown.images[0]?.platforms.map(({ config }) => config)).toEqual([amd64?.imageId, arm64?.imageId]);
    expect(shown.images[0]?.absent).toEqual([]);
    const [image] = (await inspect(one)).images;
    expect(image?.absent).toEqual([process.arch === "arm64" ? "linux/amd64" : "linux/arm64"]);
  });

  test("pull() by digest brings the image without inventing a tag", async () => {
    const { digest } = await heldManifest(registry.url, "hello", "latest");
    const archive = path("digest.tar");
    await pulled("digest.tar", [`${host}/hello@${digest}`]);
    const [image] = JSON.parse((await entry(archive, "manifest.json")).toString("utf8"));
    expect(image).toMatchObject({ Config: blobName(goldenImage("docker20-hello.tar").imageId), RepoTags: null });
  });
});
