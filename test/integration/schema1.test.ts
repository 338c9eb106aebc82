import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../../src/index.ts";
import { describeWith, probeDockerd } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { fixture, greeting } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { heldManifest, sha256 } from "./peers/registry-content.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const IMAGES = [
  ["docker20-hello.tar", "hello:latest", ""],
  ["docker20-shared.tar", "base:1.0", ":base:1.0"],
  ["docker20-shared.tar", "app:1.0", ":app:1.0"],
] as const;

async function copied(source: string, target: string, ...flags: readonly string[]): Promise<void> {
  const { code, stderr } = await copyWithSkopeo(source, target, flags);
  if (code !== 0) throw new Error(`skopeo copy ${source} ${target}: ${stderr}`);
}

function imageOf({ images }: Inspection): object {
  const image = images[0]?.platforms[0];
  if (image === undefined) throw new Error("no image");
  return { config: image.config, diffIds: image.layers.map(({ diffId }) => diffId), history: image.history };
}

// skopeo signs what it pushes, and Debian's registry still takes it when it is told to.
describeWith(["docker-registry", "skopeo"], "imgpack and schema 1", () => {
  let registry: DockerRegistry;
  let imgpack: Imgpack;
  beforeAll(async () => {
    const env = { REGISTRY_COMPATIBILITY_SCHEMA1_ENABLED: "true" };
    [registry, imgpack] = await Promise.all([startDockerRegistry({ env }), createImgpack()]);
    for (const [file, name, chosen] of IMAGES) {
      await copied(`docker-archive:${fixture(file)}${chosen}`, `docker://${registry.host}/${name}`, "--format", "v2s1");
    }
  });
  afterAll(async () => {
    await Promise.all([registry?.close(), imgpack?.close()]);
  });

  const path = (name: string): string => join(imgpack.folder, name);
  const file = (name: string, kind: string): string => path(`${name.replace(":", "-")}-${kind}`);

  test.each(IMAGES)("imgpack makes the image of %s, %s, that skopeo makes of it", async (_file, name) => {
    const source = `${registry.host}/${name}`;
    const [mine, theirs] = [file(name, "imgpack.tar"), file(name, "skopeo.tar")];
    const { images } = await imgpack.pull([source, "--output", mine, "--platform", "linux/amd64"]);
    await copied(`docker://${source}`, `docker-archive:${theirs}:${name}`);
    // Config digest, which is the image ID, diff_ids and history.
    expect(imageOf(await imgpack.inspect(mine))).toEqual(imageOf(await imgpack.inspect(theirs)));
    expect(await imgpack.verify(mine)).toMatchObject({ faults: [] });
    // The manifest is the same, too, byte for byte.
    await copied(`docker://${source}`, `dir:${file(name, "skopeo")}`, "--format", "v2s2");
    expect(images[0]?.digest).toBe(sha256(await readFile(join(file(name, "skopeo"), "manifest.json"))));
  });

  test("imgpack pulls schema 1 by the digest that the registry tells, and reports the new one", async () => {
    const { headers } = await fetch(`${registry.url}/v2/hello/manifests/latest`);
    expect(headers.get("content-type")).toBe(SIGNED);
    const digest = headers.get("docker-content-digest") ?? "";
    const args = ["--output", path("by-digest.tar"), "--platform", "linux/amd64"];
    const { images } = await imgpack.pull([`${registry.host}/hello@${digest}`, ...args]);
    expect(images).toMatchObject([{ previousDigest: digest }]);
  });

  test("imgpack copies schema 1 as schema 2, and shows its layers", async () => {
    const run = await imgpack.run(["copy", `${registry.host}/app:1.0`, `${registry.host}/converted:1.0`]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toContain("is of schema 1, and becomes schema 2");
    const held = await heldManifest(registry.url, "converted", "1.0");
    expect(held.mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
    const shown = await imgpack.run(["manifest", `${registry.host}/app:1.0`, "--json"]);
    const { platforms, mediaType } = JSON.parse(shown.stdout);
    expect(mediaType).toBe(SIGNED);
    const sizes = (list: readonly { digest: string; size: number }[]): object =>
      list.map(({ digest, size }) => ({ digest, size }));
    expect(sizes(platforms[0].layers)).toEqual(sizes(held.layers));
  });
});

describeWith(
  [await probeDockerd({ containers: true }), "docker-registry", "skopeo"],
  "imgpack, schema 1 and docker",
  () => {
    test("docker loads and runs an image that was of schema 1", async () => {
      const env = { REGISTRY_COMPATIBILITY_SCHEMA1_ENABLED: "true" };
      const [registry, imgpack, daemon] = await Promise.all([
        startDockerRegistry({ env }),
        createImgpack(),
        startDockerd(),
      ]);
      try {
        const name = `${registry.host}/app:1.0`;
        const source = `docker-archive:${fixture("docker20-shared.tar")}:app:1.0`;
        await copied(source, `docker://${name}`, "--format", "v2s1");
        const archive = join(imgpack.folder, "app.tar");
        await imgpack.pull([name, "--output", archive, "--platform", "linux/amd64"]);
        const loaded = await daemon.docker(["load", "--input", archive]);
        expect(loaded.stdout).toContain(`Loaded image: ${name}`);
        const run = await daemon.docker(["run", "--rm", "--network=none", name]);
        expect(run).toMatchObject({ code: 0, stdout: greeting });
      } finally {
        await Promise.all([registry.close(), imgpack.close(), daemon.close()]);
      }
    });
  },
);
