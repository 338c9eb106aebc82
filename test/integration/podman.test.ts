import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probePodman } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { goldenImage, greeting } from "./peers/goldens.ts";
import { createPodman, type Podman, podmanRunFlags } from "./peers/podman.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { createScene, type Scene } from "./peers/scene.ts";

describeWith([await probePodman({ containers: true }), "docker-registry", "tar"], "imgpack and podman", () => {
  let scene: Scene;
  let host: string;
  let storage: Podman;
  beforeAll(async () => {
    [scene, storage] = await Promise.all([createScene(), createPodman()]);
    host = scene.registry.host;
  });
  afterAll(async () => {
    await Promise.all([scene?.close(), storage?.close()]);
  });

  /** Runs podman and demands success. */
  async function podman(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await storage.podman(args);
    if (code !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async function imageId(image: string): Promise<string> {
    return `sha256:${(await podman("image", "inspect", "--format", "{{.Id}}", image)).trim()}`;
  }

  test("podman loads and runs a pulled archive with two images under their image IDs", async () => {
    const [hello, app] = [`${host}/hello:latest`, `${host}/app:1.0`];
    await podman("load", "--input", await scene.pulled("two.tar", hello, app));
    expect(await imageId(hello)).toBe(goldenImage("docker20-hello.tar").imageId);
    expect(await imageId(app)).toBe(goldenImage("docker20-shared.tar", "app:1.0").imageId);
    expect(await podman("run", ...podmanRunFlags, hello)).toBe(greeting);
    expect(await podman("run", ...podmanRunFlags, app)).toBe(greeting);
    await podman("rmi", "--all", "--force");
  });

  test("podman loads a delta where its base is loaded, and nothing of it where it is not", async () => {
    const app = `${host}/app:1.0`;
    const old = await scene.pulled("base.tar", `${host}/base:1.0`);
    const delta = await scene.pulled("delta.tar", app, "--base", old);
    const refused = await storage.podman(["load", "--input", delta]);
    expect(refused.code).toBe(125);
    expect(await podman("images", "--quiet", "--all")).toBe("");
    await podman("load", "--input", old);
    await podman("load", "--input", delta);
    expect(await imageId(app)).toBe(goldenImage("docker20-shared.tar", "app:1.0").imageId);
    expect(await podman("run", ...podmanRunFlags, app)).toBe(greeting);
    await podman("rmi", "--all", "--force");
  });

  test("podman keeps the registry's manifest digest of a single image", async () => {
    const hello = `${host}/hello:latest`;
    await podman("load", "--input", await scene.pulled("one.tar", hello));
    const { digest } = await heldManifest(scene.registry.url, "hello", "latest");
    expect((await podman("image", "inspect", "--format", "{{.Digest}}", hello)).trim()).toBe(digest);
    await podman("rmi", "--all", "--force");
  });

  test("podman lists an image that was pulled by digest, and finds one that has a tag as well by its tag", async () => {
    const { digest } = await heldManifest(scene.registry.url, "hello", "latest");
    const pinned = `${host}/hello@${digest}`;
    await podman("load", "--input", await scene.pulled("pinned.tar", pinned));
    expect(await imageId(pinned)).toBe(goldenImage("docker20-hello.tar").imageId);
    expect(await podman("run", ...podmanRunFlags, pinned)).toBe(greeting);
    await podman("rmi", "--all", "--force");
    await podman("load", "--input", await scene.pulled("both.tar", `${host}/hello:latest@${digest}`));
    expect(await imageId(`${host}/hello:latest`)).toBe(goldenImage("docker20-hello.tar").imageId);
    await podman("rmi", "--all", "--force");
  });

  test("podman pulls, loads and runs a layer that is compressed in members of 1 MiB", async () => {
    const large = `${host}/large:1`;
    await podman("pull", "--tls-verify=false", large);
    expect(await imageId(large)).toBe(scene.large.imageId);
    expect(await podman("run", ...podmanRunFlags, large)).toBe(greeting);
    await podman("rmi", "--all", "--force");
    await podman("load", "--input", await scene.pulled("large-out.tar", large));
    expect(await imageId(large)).toBe(scene.large.imageId);
    expect(await podman("run", ...podmanRunFlags, large)).toBe(greeting);
    await podman("rmi", "--all", "--force");
  });

  for (const [form, flags, mediaType] of [
    ["an OCI image", ["--format", "oci"], /gzip$/],
    ["an OCI image with zstd layers", ["--format", "oci", "--compression-format", "zstd"], /zstd$/],
  ] as const) {
    test(`imgpack pulls ${form} that podman pushed, and podman loads and runs it`, async () => {
      // Its own, because podman remembers which compressed forms of a layer a registry holds, and takes those.
      const other = await startDockerRegistry();
      try {
        const name = `${other.host}/podman:1`;
        await podman("load", "--input", await scene.pulled("hello.tar", `${host}/hello:latest`));
        await podman("push", "--tls-verify=false", ...flags, `${host}/hello:latest`, name);
        await podman("rmi", "--all", "--force");
        const held = await heldManifest(other.url, "podman", "1");
        expect(held.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
        expect(held.layers[0]?.mediaType).toMatch(mediaType);
        const archive = await scene.pulled("podman.tar", name);
        expect(await scene.imgpack.verify(archive)).toMatchObject({ faults: [], unchecked: [] });
        await podman("load", "--input", archive);
        expect(await imageId(name)).toBe(held.config?.digest);
        expect(await podman("run", ...podmanRunFlags, name)).toBe(greeting);
        await podman("rmi", "--all", "--force");
      } finally {
        await other.close();
      }
    });
  }
});
