import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { describeWith, probeDockerd } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { fixture, goldenImage, greeting } from "./peers/goldens.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";
import { createScene, type Scene } from "./peers/scene.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const own = ["--platform", `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`];

describeWith(["docker-registry", "skopeo", "umoci", "tar"], "imgpack pull to stdout and into a folder", () => {
  let scene: Scene;
  let host: string;
  beforeAll(async () => {
    scene = await createScene();
    host = scene.registry.host;
  });
  afterAll(() => scene?.close());

  test("imgpack pull -o - writes the bytes of the file, and the references to stderr", async () => {
    const names = ["app:1.0", "large:1", "multi:1.0"].map(name => `${host}/${name}`);
    const file = await scene.pulled("out.tar", ...names, "--platform", "all");
    const { code, stdoutBytes, stderr } = await scene.imgpack.run([
      "pull",
      ...names,
      "--platform",
      "all",
      "--output",
      "-",
    ]);
    expect(code).toBe(0);
    expect(stdoutBytes.equals(await readFile(file))).toBe(true);
    for (const name of names) expect(stderr).toContain(`${name}@sha256:`);
  });

  test("imgpack pull -o - into a redirected file gives the same file", async () => {
    const file = await scene.pulled("out.tar", `${host}/large:1`);
    const script = `exec ${SHELL_COMMAND} pull ${host}/large:1 -o - --quiet > "$0"`;
    const words = ["-c", script, scene.path("redirected.tar")];
    expect(await run("sh", words)).toMatchObject({ code: 0, stderr: "" });
    expect((await readFile(scene.path("redirected.tar"))).equals(await readFile(file))).toBe(true);
  });

  test("F-06 imgpack pull -o - stops quietly with exit code 9 when its reader leaves", async () => {
    const script = `{ ${SHELL_COMMAND} pull ${host}/large:1 -o - --quiet; echo "code $?" >&2; } | head -c 1000 > /dev/null`;
    const { stderr } = await run("sh", ["-c", script]);
    expect(stderr.trim()).toBe("code 9");
  });

  test("imgpack pull -o - refuses --json, because stdout is the archive", async () => {
    const refused = await scene.imgpack.run(["pull", `${host}/large:1`, "-o", "-", "--json"]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Cannot use --json: stdout is the archive"),
    });
  });

  test("imgpack pull -o FOLDER/ writes a layout that skopeo and umoci open, bytes unchanged", async () => {
    const folder = scene.path("layout");
    const { images } = await scene.imgpack.pull([`${host}/hello:latest`, "-o", `${folder}/`]);
    const { digest, bytes } = await heldManifest(scene.registry.url, "hello", "latest");
    expect(images).toMatchObject([{ digest }]);
    expect((await readdir(folder)).sort()).toEqual(["blobs", "imgpack.json", "index.json", "oci-layout"]);
    expect((await readFile(`${folder}/blobs/${digest.replace(":", "/")}`)).equals(bytes)).toBe(true);
    expect((await run("umoci", ["ls", "--layout", folder])).stdout.trim()).toBe("latest");
    const copy = await copyWithSkopeo(`oci:${folder}`, `dir:${scene.path("copied")}`, ["--preserve-digests"]);
    expect(copy).toMatchObject({ code: 0 });
    const again = await scene.imgpack.run(["pull", `${host}/hello:latest`, "-o", folder]);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining("contains these images already") });
    const other = await scene.imgpack.run(["pull", `${host}/multi:1.0`, "-o", folder]);
    expect(other).toMatchObject({ code: 9, stderr: expect.stringContaining("found 4 entries in it") });
  });

  test("imgpack pull -o FOLDER/ of several platforms goes back into a registry with skopeo, index unchanged", async () => {
    const folder = scene.path("multi");
    await scene.imgpack.pull([`${host}/multi:1.0`, "-o", `${folder}/`, "--platform", "all"]);
    const target = `docker://${host}/from-folder:1.0`;
    expect(await copyWithSkopeo(`oci:${folder}:1.0`, target, ["--all", "--preserve-digests"])).toMatchObject({
      code: 0,
    });
    const [before, after] = await Promise.all([
      heldManifest(scene.registry.url, "multi", "1.0"),
      heldManifest(scene.registry.url, "from-folder", "1.0"),
    ]);
    expect(after.digest).toBe(before.digest);
  });

  test("imgpack pull leaves no folder when a blob cannot be had", async () => {
    const before = (await readdir(scene.imgpack.folder)).sort();
    const missing = await scene.imgpack.run(["pull", `${host}/hello:none`, "-o", scene.path("never/")]);
    expect(missing).toMatchObject({ code: 5 });
    expect((await readdir(scene.imgpack.folder)).sort()).toEqual(before);
  });

  test("imgpack pull --layers raw brings layers under their diff_ids, and tells both digests", async () => {
    const raw = scene.path("raw.tar");
    const { images } = await scene.imgpack.pull([`${host}/large:1`, "-o", raw, "--layers", "raw"]);
    const { digest } = await heldManifest(scene.registry.url, "large", "1");
    expect(images).toMatchObject([{ previousDigest: digest }]);
    const [image] = (await scene.imgpack.inspect(raw)).images;
    expect(image?.platforms[0]).toMatchObject({
      config: scene.large.imageId,
      layers: [{ digest: scene.large.diffId }],
    });
    expect(await scene.imgpack.verify(raw)).toMatchObject({ faults: [] });
  });
});

describeWith(
  [await probeDockerd({ containers: true }), "docker-registry", "skopeo", "tar"],
  "imgpack pull and docker 20",
  () => {
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

    async function docker(...args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await daemon.docker(args);
      if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
      return stdout;
    }

    test("docker loads and runs what imgpack pull -o - pipes into it", async () => {
      const script = `${SHELL_COMMAND} pull ${host}/large:1 -o - --quiet | docker load`;
      const env = { DOCKER_HOST: `unix://${daemon.socket}`, DOCKER_CONFIG: scene.imgpack.folder };
      const piped = await run("sh", ["-c", script], { env });
      expect(piped).toMatchObject({ code: 0, stdout: expect.stringContaining(`Loaded image: ${host}/large:1`) });
      expect(await docker("run", "--rm", "--network=none", `${host}/large:1`)).toBe(greeting);
      await docker("rmi", "--force", `${host}/large:1`);
    });

    test("docker loads and runs an image pulled with --layers raw", async () => {
      await docker("load", "--input", await scene.pulled("raw.tar", `${host}/large:1`, "--layers", "raw"));
      expect(await docker("run", "--rm", "--network=none", `${host}/large:1`)).toBe(greeting);
      await docker("rmi", "--force", `${host}/large:1`);
    });

    test("docker 20 loads and runs an image with zstd layers that was pulled --for docker20", async () => {
      const other = await startDockerRegistry();
      try {
        const name = `${other.host}/zstd:1`;
        const flags = ["--format", "oci", "--dest-compress-format", "zstd"];
        const copy = await copyWithSkopeo(`docker-archive:${fixture("docker20-hello.tar")}`, `docker://${name}`, flags);
        expect(copy).toMatchObject({ code: 0 });
        const { digest, config, layers } = await heldManifest(other.url, "zstd", "1");
        expect(layers[0]?.mediaType).toContain("zstd");
        if (daemon.version.startsWith("20.")) {
          expect((await daemon.docker(["load", "--input", await scene.pulled("as-is.tar", name)])).code).not.toBe(0);
        }
        const file = scene.path("for.tar");
        const { images } = await scene.imgpack.pull([name, "-o", file, "--for", "docker20", ...own]);
        expect(images).toMatchObject([{ previousDigest: digest }]);
        await docker("load", "--input", file);
        expect((await docker("image", "inspect", "--format", "{{.Id}}", name)).trim()).toBe(config?.digest);
        expect(await docker("run", "--rm", "--network=none", name)).toBe(greeting);
        await docker("rmi", "--force", name);
        expect(goldenImage("docker20-hello.tar").diffIds).toHaveLength(1);
      } finally {
        await other.close();
      }
    });
  },
);
