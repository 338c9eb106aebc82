import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture, type GoldenImage, golden, goldenImage, sample } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { heldImage, heldManifest, heldTags } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";

/** Its manifest names raw layers; compressing them makes another manifest. */
const rawManifest = "docker28-containerd-raw.tar";

/** `127.0.0.1:33085/base:1.0` → base and 1.0. */
function ownName(name: string): { readonly repository: string; readonly tag: string } {
  const [repository = "", tag = ""] = name.replace(/^(?:127\.0\.0\.1:\d+|localhost)\//, "").split(":");
  return { repository, tag };
}

function tagsOf(images: readonly GoldenImage[]): ReadonlyMap<string, readonly string[]> {
  const tags = new Map<string, string[]>();
  for (const { repository, tag } of images.flatMap(({ names }) => names.map(ownName))) {
    tags.set(repository, [...new Set([...(tags.get(repository) ?? []), tag])].sort());
  }
  return tags;
}

describeWith(["docker-registry", "tar"], "imgpack push", () => {
  let registry: DockerRegistry;
  let imgpack: Imgpack;
  beforeAll(async () => {
    [registry, imgpack] = await Promise.all([startDockerRegistry(), createImgpack()]);
  });
  afterAll(async () => {
    await Promise.all([registry?.close(), imgpack?.close()]);
  });

  for (const file of sample) {
    const { producer, images, indexDigest } = golden(file);
    test(`imgpack push brings all of ${file} (${producer}) to the registry`, async () => {
      const prefix = file.replace(/\..*/, "");
      const pushed = await imgpack.push([fixture(file), "--to", `${registry.host}/${prefix}`]);
      for (const [repository, tags] of tagsOf(images)) {
        expect(await heldTags(registry.url, `${prefix}/${repository}`)).toEqual(tags);
      }
      if (indexDigest !== undefined) {
        expect(pushed.images.map(({ digest }) => digest)).toEqual([indexDigest]);
      }
      for (const { names, imageId, diffIds, manifestDigest } of images) {
        for (const { repository, tag } of names.map(ownName)) {
          // An index has one tag for all its images.
          const reference = indexDigest === undefined ? tag : (manifestDigest ?? tag);
          const held = await heldImage(registry.url, `${prefix}/${repository}`, reference);
          expect(held).toMatchObject({ imageId, diffIds });
          const shown = pushed.images.find(
            image => image.reference === `${registry.host}/${prefix}/${repository}:${tag}`,
          );
          expect(shown?.digest).toBe(indexDigest ?? held.digest);
          if (file === rawManifest) expect(shown?.previousDigest).toBe(manifestDigest);
          else if (manifestDigest !== undefined) expect(held.digest).toBe(manifestDigest);
        }
      }
    });
  }

  test("imgpack push --compression keep brings an OCI archive with raw layers over unchanged", async () => {
    await imgpack.push([fixture(rawManifest), "--to", `${registry.host}/keep`, "--compression", "keep"]);
    const { digest } = await heldImage(registry.url, "keep/hello", "latest");
    expect(digest).toBe(goldenImage(rawManifest).manifestDigest);
  });

  test("imgpack push leaves a platform that the archive does not hold out of the index, and says so", async () => {
    const archive = join(imgpack.folder, "sparse.tar");
    await copyFile(fixture("multi-platform-oci.tar"), archive);
    const { images, indexDigest } = golden("multi-platform-oci.tar");
    const arm64 = images.find(({ platform }) => platform === "linux/arm64")?.manifestDigest;
    const cut = await run("tar", ["--delete", "--file", archive, `blobs/${arm64?.replace(":", "/")}`]);
    expect(cut).toMatchObject({ code: 0 });
    const { code, stderr } = await imgpack.run(["push", archive, "--to", `${registry.host}/sparse`]);
    const held = await heldManifest(registry.url, "sparse/multi", "1.0");
    expect(code).toBe(0);
    expect(stderr).toContain("linux/arm64");
    expect(stderr).toContain(`${indexDigest} → ${held.digest}`);
    expect(held.manifests.map(({ digest }) => digest)).toEqual(
      images.filter(({ manifestDigest }) => manifestDigest !== arm64).map(({ manifestDigest }) => manifestDigest),
    );
  });

  test("imgpack push refuses an image without a name and takes the one that --tag gives", async () => {
    const file = fixture("docker20-untagged.tar");
    const refused = await imgpack.run(["push", file, "--registry", registry.host]);
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("it has no name") });
    await imgpack.push([file, "--tag", `${registry.host}/untagged/hello:7`]);
    expect(await heldTags(registry.url, "untagged/hello")).toEqual(["7"]);
    const { imageId, diffIds } = goldenImage("docker20-untagged.tar");
    expect(await heldImage(registry.url, "untagged/hello", "7")).toMatchObject({ imageId, diffIds });
  });

  test("imgpack push says how many images a layout of tags without repositories holds", async () => {
    const args = ["push", fixture("umoci04-layout.tar"), "--tag", `${registry.host}/umoci:1`];
    const refused = await imgpack.run(args);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("it holds 2 images") });
  });

  test("imgpack push prints one line per tag: reference and digest", async () => {
    const file = fixture("docker20-two-tags.tar");
    const { code, stdout } = await imgpack.run(["push", file, "--registry", registry.host]);
    const { digest } = await heldManifest(registry.url, "hello", "1.0");
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n").sort()).toEqual([
      `${registry.host}/hello:1.0@${digest}`,
      `${registry.host}/hello:latest@${digest}`,
    ]);
  });

  for (const file of ["docker20-shared.tar", "docker28-containerd-shared.tar", "multi-platform-oci.tar"]) {
    test(`imgpack push of ${file} a second time sends nothing; into another repository it mounts, and sends manifests alone`, async () => {
      const first = await imgpack.push([fixture(file), "--to", `${registry.host}/again`]);
      const again = await imgpack.push([fixture(file), "--to", `${registry.host}/again`]);
      expect(again.images).toEqual(first.images);
      expect(again.blobs.uploaded).toBe(0);
      const repositories = [...tagsOf(golden(file).images).keys()];
      const sizes: number[] = [];
      for (const repository of repositories) {
        for (const tag of await heldTags(registry.url, `again/${repository}`)) {
          const { bytes, manifests } = await heldManifest(registry.url, `again/${repository}`, tag);
          sizes.push(bytes.length);
          for (const { digest } of manifests) {
            sizes.push((await heldManifest(registry.url, `again/${repository}`, digest)).bytes.length);
          }
        }
      }
      expect(again.bytesSent).toBe(0);

      const elsewhere = await imgpack.push([fixture(file), "--to", `${registry.host}/elsewhere`]);
      // What a first image has mounted is there for the next one.
      const skipped = file === "docker28-containerd-shared.tar" ? 1 : 0;
      expect(elsewhere.blobs).toMatchObject({ uploaded: 0, skipped });
      expect(elsewhere.blobs.mounted).toBeGreaterThan(0);
      expect(elsewhere.bytesSent).toBe(sizes.reduce((sum, size) => sum + size, 0));
      for (const repository of repositories) {
        const tags = await heldTags(registry.url, `again/${repository}`);
        expect(await heldTags(registry.url, `elsewhere/${repository}`)).toEqual(tags);
      }
    });
  }

  test("imgpack push from an empty cache gives the digests of the push before", async () => {
    const file = fixture("docker20-hello.tar");
    const warm = await imgpack.push([file, "--to", `${registry.host}/again`]);
    const env = { IMGPACK_CACHE_DIR: `${imgpack.folder}/empty-cache` };
    const cold = await imgpack.push([file, "--to", `${registry.host}/again`], { env });
    expect(cold.images).toEqual(warm.images);
    expect(cold.blobs.cached).toBe(0);
  });
});
