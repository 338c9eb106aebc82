import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture, goldenImage } from "./peers/goldens.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { type RunResult, run } from "./peers/run.ts";
import { createScene, type Scene } from "./peers/scene.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const version = (await run("skopeo", ["--version"]).catch(() => undefined))?.stdout ?? "";

async function copied(source: string, target: string, ...flags: readonly string[]): Promise<void> {
  const { code, stderr } = await copyWithSkopeo(source, target, flags);
  if (code !== 0) throw new Error(`skopeo copy ${source} ${target}: ${stderr}`);
}

describeWith(["docker-registry", "skopeo", "tar"], "imgpack and skopeo", () => {
  let scene: Scene;
  let host: string;
  beforeAll(async () => {
    scene = await createScene();
    host = scene.registry.host;
  });
  afterAll(() => scene?.close());

  // A fact about the peer, and the reason why imgpack never writes links: its reader takes a symlink for an empty layer.
  test.runIf(version.includes(" 1.9."))(
    "skopeo 1.9 cannot read an archive whose shared layer is a symlink",
    async () => {
      const names = ["base:1.0", "app:1.0"];
      const results: RunResult[] = [];
      for (const name of names) {
        const source = `docker-archive:${fixture("docker20-shared.tar")}:${name}`;
        results.push(await copyWithSkopeo(source, `dir:${scene.path(name.replace(":", "-"))}`));
      }
      expect(results.map(({ code }) => code)).toContain(1);
    },
  );

  test("skopeo reads a pulled archive as a docker archive, image by image", async () => {
    const archive = await scene.pulled("two.tar", `${host}/hello:latest`, `${host}/app:1.0`);
    for (const [name, file] of [
      ["hello:latest", "docker20-hello.tar"],
      ["app:1.0", "docker20-shared.tar"],
    ] as const) {
      const target = scene.path(`${name.replace(":", "-")}.tar`);
      await copied(`docker-archive:${archive}:${host}/${name}`, `docker-archive:${target}:${name}`);
      const [image] = (await scene.imgpack.inspect(target)).images;
      expect(image?.platforms[0]?.config).toBe(goldenImage(file, name).imageId);
      expect(await scene.imgpack.verify(target)).toMatchObject({ faults: [] });
    }
  });

  test("skopeo reads a pulled archive as an OCI archive, manifest bytes unchanged", async () => {
    const archive = await scene.pulled("hello.tar", `${host}/hello:latest`);
    // Without a name: skopeo 1.9 finds no Docker manifest by name in an OCI layout.
    await copied(`oci-archive:${archive}`, `dir:${scene.path("oci")}`, "--preserve-digests");
    const { bytes } = await heldManifest(scene.registry.url, "hello", "latest");
    expect((await readFile(scene.path("oci/manifest.json"))).equals(bytes)).toBe(true);
  });

  test("skopeo copies a multi-platform archive with all its images, the index unchanged", async () => {
    const archive = await scene.pulled("multi.tar", `${host}/multi:1.0`, "--platform", "all");
    const target = `docker://${host}/copied:1.0`;
    await copied(`oci-archive:${archive}:1.0`, target, "--all", "--preserve-digests");
    const [before, after] = await Promise.all([
      heldManifest(scene.registry.url, "multi", "1.0"),
      heldManifest(scene.registry.url, "copied", "1.0"),
    ]);
    expect(after.digest).toBe(before.digest);
  });

  test("skopeo inflates a layer that is compressed in members of 1 MiB to its diff_id", async () => {
    const target = scene.path("large-skopeo.tar");
    await copied(`docker://${host}/large:1`, `docker-archive:${target}:large:1`);
    const [image] = (await scene.imgpack.inspect(target)).images;
    expect(image?.platforms[0]).toMatchObject({
      config: scene.large.imageId,
      layers: [{ digest: scene.large.diffId }],
    });
    expect(await scene.imgpack.verify(target)).toMatchObject({ faults: [] });
    const archive = await scene.pulled("large-out.tar", `${host}/large:1`);
    await copied(`docker-archive:${archive}`, `docker-archive:${scene.path("large-again.tar")}:large:1`);
    expect((await scene.imgpack.inspect(scene.path("large-again.tar"))).images[0]?.platforms[0]?.layers).toMatchObject([
      { digest: scene.large.diffId },
    ]);
  });

  for (const compression of ["gzip", "zstd"]) {
    test(`imgpack pulls an OCI image with ${compression} layers that skopeo pushed, and pushes it back unchanged`, async () => {
      const source = `docker-archive:${fixture("docker20-hello.tar")}`;
      const flags = ["--format", "oci", "--dest-compress-format", compression];
      // Its own, because skopeo remembers which compressed forms of a layer a registry holds, and takes those.
      const other = await startDockerRegistry();
      try {
        await copied(source, `docker://${other.host}/skopeo:1`, ...flags);
        const held = await heldManifest(other.url, "skopeo", "1");
        expect(held.layers[0]?.mediaType).toBe(`application/vnd.oci.image.layer.v1.tar+${compression}`);
        const archive = await scene.pulled("foreign.tar", `${other.host}/skopeo:1`);
        expect(await scene.imgpack.verify(archive)).toMatchObject({ faults: [], unchecked: [] });
        const pushed = await scene.imgpack.push([archive, "--to", `${host}/${compression}`]);
        expect(pushed.images).toEqual([{ reference: `${host}/${compression}/skopeo:1`, digest: held.digest }]);
        const back = await heldManifest(scene.registry.url, `${compression}/skopeo`, "1");
        expect(back.bytes.equals(held.bytes)).toBe(true);
      } finally {
        await other.close();
      }
    });
  }
});
