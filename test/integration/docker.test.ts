import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probeDockerd } from "./peers/describe-with.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { fixture, golden, goldenImage, greeting } from "./peers/goldens.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { createScene, type Scene } from "./peers/scene.ts";

const shared = "docker20-shared.tar";

describeWith([await probeDockerd({ containers: true }), "docker-registry", "tar"], "imgpack and docker", () => {
  let scene: Scene;
  let host: string;
  let daemon: Dockerd;
  beforeAll(async () => {
    [scene, daemon] = await Promise.all([createScene(), startDockerd()]);
    host = scene.registry.host;
  });
  afterAll(async () => {
    await Promise.all([scene?.close(), daemon?.close()]);
  });

  /** Runs docker and demands success. */
  async function docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await daemon.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async function imageId(image: string): Promise<string> {
    return (await docker("image", "inspect", "--format", "{{.Id}}", image)).trim();
  }

  async function greet(image: string, ...command: readonly string[]): Promise<string> {
    return await docker("run", "--rm", "--network=none", image, ...command);
  }

  /** So that nothing of it is there when it comes back. */
  async function forget(...images: readonly string[]): Promise<void> {
    await docker("rmi", "--force", ...images);
    expect(await docker("images", "--quiet", "--all")).toBe("");
  }

  test("docker pulls and runs both images of an archive whose shared layer is a symlink", async () => {
    const names = ["base:1.0", "app:1.0"].map(name => `${host}/${name}`);
    for (const name of names) await docker("pull", name);
    for (const name of ["base:1.0", "app:1.0"]) {
      expect(await imageId(`${host}/${name}`)).toBe(goldenImage(shared, name).imageId);
    }
    expect(await greet(`${host}/app:1.0`)).toBe(greeting);
    await forget(...names);
  });

  test("docker loads and runs a pulled archive under its image ID", async () => {
    const archive = await scene.pulled("hello.tar", `${host}/hello:latest`, `${host}/app:1.0`);
    const loaded = await docker("load", "--input", archive);
    expect(loaded).toContain(`Loaded image: ${host}/hello:latest`);
    expect(loaded).toContain(`Loaded image: ${host}/app:1.0`);
    expect(await imageId(`${host}/hello:latest`)).toBe(goldenImage("docker20-hello.tar").imageId);
    expect(await imageId(`${host}/app:1.0`)).toBe(goldenImage(shared, "app:1.0").imageId);
    expect(await greet(`${host}/hello:latest`)).toBe(greeting);
    expect(await greet(`${host}/app:1.0`)).toBe(greeting);
    await forget(`${host}/hello:latest`, `${host}/app:1.0`);
  });

  for (const platform of ["linux/amd64", "linux/arm64", "all"]) {
    test(`docker loads a multi-platform image pulled with --platform ${platform}`, async () => {
      const archive = await scene.pulled("multi.tar", `${host}/multi:1.0`, "--platform", platform);
      await docker("load", "--input", archive);
      const own = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
      const { images } = golden("multi-platform-oci.tar");
      const expected = images.find(image => image.platform === (platform === "all" ? own : platform));
      expect(await imageId(`${host}/multi:1.0`)).toBe(expected?.imageId);
      await forget(`${host}/multi:1.0`);
    });
  }

  test("docker loads a delta where its base is loaded, and nothing of it where it is not", async () => {
    const [base, app] = [`${host}/base:1.0`, `${host}/app:1.0`];
    const old = await scene.pulled("base.tar", base);
    const delta = await scene.pulled("delta.tar", app, "--base", old);
    const refused = await daemon.docker(["load", "--input", delta]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("invalid diffID for layer 0");
    expect(await docker("images", "--quiet", "--all")).toBe("");
    await docker("load", "--input", old);
    await docker("load", "--input", delta);
    expect(await imageId(app)).toBe(goldenImage(shared, "app:1.0").imageId);
    expect(await greet(app)).toBe(greeting);
    await forget(base, app);
  });

  test("docker pulls, loads and runs a layer that is compressed in members of 1 MiB", async () => {
    await docker("pull", `${host}/large:1`);
    expect(await imageId(`${host}/large:1`)).toBe(scene.large.imageId);
    expect(await greet(`${host}/large:1`)).toBe(greeting);
    await forget(`${host}/large:1`);
    await docker("load", "--input", await scene.pulled("large-out.tar", `${host}/large:1`));
    expect(await imageId(`${host}/large:1`)).toBe(scene.large.imageId);
    expect(await greet(`${host}/large:1`)).toBe(greeting);
    await forget(`${host}/large:1`);
  });

  test("imgpack pulls what docker pushed, and docker loads it again", async () => {
    const name = `${host}/pushed/app:2`;
    await docker("load", "--input", fixture(shared));
    await docker("tag", "app:1.0", name);
    await docker("push", name);
    await forget("app:1.0", "base:1.0", name);
    const archive = await scene.pulled("pushed.tar", name);
    expect(await scene.imgpack.verify(archive)).toMatchObject({ faults: [], unchecked: [] });
    const { digest } = await heldManifest(scene.registry.url, "pushed/app", "2");
    expect((await scene.imgpack.inspect(archive)).images[0]).toMatchObject({ names: [name], digest });
    await docker("load", "--input", archive);
    expect(await imageId(name)).toBe(goldenImage(shared, "app:1.0").imageId);
    expect(await greet(name)).toBe(greeting);
    await forget(name);
  });

  test("imgpack pushes what docker saves today, with the digests that docker keeps", async () => {
    await docker("load", "--input", fixture(shared));
    await docker("save", "--output", scene.path("saved.tar"), "app:1.0", "base:1.0");
    const pushed = await scene.imgpack.push([scene.path("saved.tar"), "--to", `${host}/saved`]);
    for (const name of ["app:1.0", "base:1.0"]) {
      const [repository = "", tag = ""] = name.split(":");
      const held = await heldManifest(scene.registry.url, `saved/${repository}`, tag);
      expect(held.config?.digest).toBe(goldenImage(shared, name).imageId);
      expect(pushed.images).toContainEqual({ reference: `${host}/saved/${name}`, digest: held.digest });
    }
    await forget("app:1.0", "base:1.0");
  });
});
