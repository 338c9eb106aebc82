import { afterAll, beforeAll, expect, test } from "vitest";
import { doctor, inspectArchive } from "../../src/index.ts";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd } from "./peers/describe-with.ts";
import { golden, greeting } from "./peers/goldens.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { createScene, type Scene } from "./peers/scene.ts";

describeWith([await probeContainerd({ containers: true }), "docker-registry", "tar"], "imgpack and containerd", () => {
  let scene: Scene;
  let host: string;
  let daemon: Containerd;
  let container = 0;
  beforeAll(async () => {
    [scene, daemon] = await Promise.all([createScene(), startContainerd()]);
    host = scene.registry.host;
  });
  afterAll(async () => {
    await Promise.all([scene?.close(), daemon?.close()]);
  });

  /** Runs ctr and demands success. */
  async function ctr(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await daemon.ctr(args);
    if (code !== 0) throw new Error(`ctr ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async function importArchive(archive: string): Promise<void> {
    await ctr("images", "import", "--snapshotter", "native", archive);
  }

  async function digests(): Promise<Readonly<Record<string, string>>> {
    const [, ...lines] = (await ctr("images", "list")).trimEnd().split("\n");
    return Object.fromEntries(
      lines.map(line => {
        const [name = "", , digest = ""] = line.split(/\s+/);
        return [name, digest];
      }),
    );
  }

  async function greet(image: string): Promise<string> {
    container += 1;
    return await ctr("run", "--rm", "--snapshotter", "native", image, `test-${container}`);
  }

  async function forget(...images: readonly string[]): Promise<void> {
    await ctr("images", "remove", "--sync", ...images);
    await ctr("content", "prune", "references");
  }

  test("ctr imports a pulled archive under the registry's manifest digests and runs it", async () => {
    const names = [`${host}/app:1.0`, `${host}/hello:latest`];
    await importArchive(await scene.pulled("two.tar", ...names));
    const [app, hello] = await Promise.all([
      heldManifest(scene.registry.url, "app", "1.0"),
      heldManifest(scene.registry.url, "hello", "latest"),
    ]);
    expect(await digests()).toEqual({ [`${host}/app:1.0`]: app.digest, [`${host}/hello:latest`]: hello.digest });
    expect(await greet(`${host}/hello:latest`)).toBe(greeting);
    await forget(...names);
  });

  for (const flags of [[], ["--platform", "all"]]) {
    test(`ctr keeps the digest of a multi-platform index pulled with ${flags.join(" ") || "no flag"}`, async () => {
      const name = `${host}/multi:1.0`;
      await importArchive(await scene.pulled("multi.tar", name, ...flags));
      expect(await digests()).toEqual({ [name]: golden("multi-platform-oci.tar").indexDigest });
      expect(await greet(name)).toBe(greeting);
      await forget(name);
    });
  }

  test("what kind and k3s import with all platforms: not a part of an index, but what --for kind makes of it", async () => {
    const name = `${host}/multi@${golden("multi-platform-oci.tar").indexDigest}`;
    const importAll = async (archive: string): Promise<number | null> =>
      (await daemon.ctr(["images", "import", "--all-platforms", "--snapshotter", "native", archive])).code;
    const part = await scene.pulled("part.tar", name);
    const kind = await scene.pulled("kind.tar", name, "--for", "kind");
    const verdictOf = async (archive: string): Promise<boolean | undefined> =>
      (await doctor(archive, { quick: true })).loaders.find(({ loader }) => loader.startsWith("kind"))?.loads;
    expect([await importAll(part), await verdictOf(part)]).toEqual([1, false]);
    expect([await importAll(kind), await verdictOf(kind)]).toEqual([0, true]);
    const [image] = (await inspectArchive(kind)).images;
    expect(await digests()).toEqual({ [name]: image?.digest });
    expect(await greet(name)).toBe(greeting);
    await forget(name);
  });

  test("ctr lists an image that was pulled by digest, or by tag and digest, under these names", async () => {
    const [app, hello] = await Promise.all([
      heldManifest(scene.registry.url, "app", "1.0"),
      heldManifest(scene.registry.url, "hello", "latest"),
    ]);
    const pinned = `${host}/hello@${hello.digest}`;
    await importArchive(await scene.pulled("pinned.tar", pinned, `${host}/app:1.0@${app.digest}`));
    const names = {
      [pinned]: hello.digest,
      [`${host}/app:1.0`]: app.digest,
      [`${host}/app@${app.digest}`]: app.digest,
    };
    expect(await digests()).toEqual(names);
    expect(await greet(pinned)).toBe(greeting);
    await forget(...Object.keys(names));
  });

  test("ctr imports a delta where its base is, and cannot unpack it where it is not", async () => {
    const [base, app] = [`${host}/base:1.0`, `${host}/app:1.0`];
    const old = await scene.pulled("base.tar", base);
    const delta = await scene.pulled("delta.tar", app, "--base", old);
    const refused = await daemon.ctr(["images", "import", "--snapshotter", "native", delta]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("not found");
    await forget(app);
    await importArchive(old);
    await importArchive(delta);
    expect(await greet(app)).toBe(greeting);
    expect(await ctr("images", "check", `name==${app}`)).toContain("complete");
    await forget(base, app);
  });

  test("ctr pulls, imports and runs a layer that is compressed in members of 1 MiB", async () => {
    const name = `${host}/large:1`;
    await ctr("images", "pull", "--plain-http", "--snapshotter", "native", name);
    expect(await greet(name)).toBe(greeting);
    await forget(name);
    await importArchive(await scene.pulled("large-out.tar", name));
    const { digest } = await heldManifest(scene.registry.url, "large", "1");
    expect(await digests()).toEqual({ [name]: digest });
    expect(await greet(name)).toBe(greeting);
    await forget(name);
  });

  test("imgpack pushes an archive that ctr exported, with its manifest digest", async () => {
    const name = `${host}/hello:latest`;
    await importArchive(await scene.pulled("hello.tar", name));
    const { [name]: digest } = await digests();
    await ctr("images", "export", scene.path("exported.tar"), name);
    const { images } = await scene.imgpack.push([scene.path("exported.tar"), "--to", `${host}/exported`]);
    expect(images).toEqual([{ reference: `${host}/exported/hello:latest`, digest }]);
    await forget(name);
  });
});
