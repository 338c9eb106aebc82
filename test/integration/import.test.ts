import { chmod, link, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImportResult } from "../../src/index.ts";
import { describeWith, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { fixture, greeting } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { createPodman, type Podman, podmanRunFlags } from "./peers/podman.ts";
import { heldImage, heldManifest, sha256 } from "./peers/registry-content.ts";
import { findTool, run } from "./peers/run.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const architecture = process.arch === "arm64" ? "arm64" : "amd64";
const entrypoint = ["--entrypoint", '["/bin/hello"]'];

/** A root filesystem with what such a tree has: a program, links, odd modes, long and foreign names. */
async function makeRootfs(path: string): Promise<void> {
  await mkdir(join(path, "bin"), { recursive: true });
  await mkdir(join(path, "var/empty"), { recursive: true });
  await mkdir(join(path, "n".repeat(120)));
  const image = fixture("docker20-hello.tar");
  const { stdoutBytes } = await run("tar", ["--extract", "--to-stdout", "--wildcards", "--file", image, "*/layer.tar"]);
  await run("tar", ["--extract", "--directory", join(path, "bin")], { input: stdoutBytes });
  await link(join(path, "bin/hello"), join(path, "bin/hello-again"));
  await symlink("hello", join(path, "bin/hi"));
  await writeFile(join(path, "shadow"), "secret", { mode: 0o600 });
  await chmod(join(path, "shadow"), 0);
  await chmod(join(path, "var/empty"), 0o1777);
  await writeFile(join(path, "n".repeat(120), "\u00fc-\u{1F600}"), "x".repeat(3_000_000));
}

/** Each line of `tar --list`, sorted, `./` and its own line taken away. */
function listing(text: string): readonly string[] {
  const lines = text.trimEnd().split("\n");
  return lines
    .filter(line => !/ \.\/$/.test(line))
    .map(line => line.replaceAll(/ \.\/(?=[^ ])/g, " ").replaceAll(/\s+/g, " "))
    .sort();
}

async function list(archive: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await run("tar", ["--list", "--verbose", "--numeric-owner", "--file", archive]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return listing(stdout);
}

describeWith(["docker-registry", "tar", "gzip"], "imgpack import", () => {
  let registry: DockerRegistry;
  let imgpack: Imgpack;
  let rootfs: string;
  let plain: string;
  const path = (name: string): string => join(imgpack.folder, name);

  async function importJson(...args: readonly string[]): Promise<ImportResult> {
    const { code, stdout, stderr } = await imgpack.run(["import", "--json", ...args]);
    if (code !== 0) throw new Error(`imgpack import ${args.join(" ")}: exit code ${code}\n${stderr}`);
    return JSON.parse(stdout) as ImportResult;
  }

  /** The layer of an archive that imgpack wrote, inflated. */
  async function layerFile({ layer }: ImportResult, archive: string): Promise<string> {
    const name = `blobs/${layer?.digest.replace(":", "/")}`;
    const { stdoutBytes } = await run("tar", ["--extract", "--to-stdout", "--file", archive, name]);
    await writeFile(`${archive}.layer`, stdoutBytes);
    return `${archive}.layer`;
  }

  beforeAll(async () => {
    [registry, imgpack] = await Promise.all([startDockerRegistry(), createImgpack()]);
    rootfs = path("rootfs");
    plain = path("rootfs.tar");
    await makeRootfs(rootfs);
    const ownership = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];
    await run("tar", ["--create", "--sort=name", ...ownership, "--file", plain, "--directory", rootfs, "."]);
    await run("gzip", ["--keep", plain]);
  });
  afterAll(async () => {
    await Promise.all([registry?.close(), imgpack?.close()]);
  });

  test("imgpack import of a tar.gz keeps the file as the layer and prints the name with the digest", async () => {
    const tag = `${registry.host}/gz/hello:1`;
    const { code, stdout } = await imgpack.run(["import", `${plain}.gz`, "-t", tag, ...entrypoint]);
    const { digest, layers, mediaType } = await heldManifest(registry.url, "gz/hello", "1");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${tag}@${digest}\n` });
    expect(mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
    expect(layers.map(layer => layer.digest)).toEqual([sha256(await readFile(`${plain}.gz`))]);
    const { diffIds } = await heldImage(registry.url, "gz/hello", "1");
    expect(diffIds).toEqual([sha256(await readFile(plain))]);
  });

  for (const [suffix, tool] of [
    ["zst", "zstd"],
    ["xz", "xz"],
    ["bz2", "bzip2"],
  ] as const) {
    test.skipIf(findTool(tool) === undefined)(`imgpack import reads a tar.${suffix}`, async () => {
      await run(tool, ["--keep", "--force", plain]);
      const result = await importJson(`${plain}.${suffix}`, "-t", `${registry.host}/${suffix}`, ...entrypoint);
      expect(result.diffId).toBe(sha256(await readFile(plain)));
      const { layers, config } = await heldManifest(registry.url, suffix, "latest");
      expect(config?.digest).toBe(result.imageId);
      const file = sha256(await readFile(`${plain}.${suffix}`));
      if (suffix === "zst")
        expect(layers[0]).toMatchObject({ digest: file, mediaType: expect.stringContaining("zstd") });
      else expect((await heldImage(registry.url, suffix, "latest")).diffIds).toEqual([result.diffId]);
    });
  }

  test("imgpack import makes one image of a tar, in an archive and in a registry, with docker's media types too", async () => {
    const pushed = await importJson(plain, "-t", `${registry.host}/plain:1`, "--format", "docker", ...entrypoint);
    const written = await importJson(plain, "-t", "plain:1", "-o", path("p.tar"), "--format", "docker", ...entrypoint);
    expect(written.images[0]?.digest).toBe(pushed.images[0]?.digest);
    expect(written.imageId).toBe(pushed.imageId);
    const { mediaType, digest } = await heldManifest(registry.url, "plain", "1");
    expect([mediaType, digest]).toEqual([
      "application/vnd.docker.distribution.manifest.v2+json",
      pushed.images[0]?.digest,
    ]);
    expect((await heldImage(registry.url, "plain", "1")).imageId).toBe(pushed.imageId);
    expect((await imgpack.verify(path("p.tar"))).faults).toEqual([]);
  });

  test("imgpack import of a folder lists as GNU tar's, gives one digest every time, and no temporary file", async () => {
    const args = [rootfs, "-t", "folder:1", ...entrypoint];
    const temporary = path("tmp");
    await mkdir(temporary);
    const { code, stderr } = await imgpack.run(["import", ...args, "-o", path("f.tar")], {
      env: { TMPDIR: temporary },
    });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("twice") });
    expect(await readdir(temporary)).toEqual([]);
    const copy = path("copy");
    // Written in another order, at another time.
    await run("cp", ["--archive", rootfs, copy]);
    const again = await importJson(copy, "-t", "folder:1", ...entrypoint, "-o", path("g.tar"));
    expect((await readFile(path("f.tar"))).equals(await readFile(path("g.tar")))).toBe(true);
    expect(await list(await layerFile(again, path("g.tar")))).toEqual(await list(plain));
    const pushed = await importJson(rootfs, "-t", `${registry.host}/folder:1`, ...entrypoint);
    expect(pushed.images[0]?.digest).toBe(again.images[0]?.digest);
    expect((await heldImage(registry.url, "folder", "1")).diffIds).toEqual([again.diffId]);
  });

  test.skipIf(findTool("skopeo") === undefined)("skopeo reads what imgpack import wrote, in both forms", async () => {
    const { diffId } = await importJson(`${plain}.gz`, "-t", "skopeo:1", "-o", path("s.tar"), ...entrypoint);
    for (const transport of ["docker-archive", "oci-archive"]) {
      const target = `docker://${registry.host}/${transport}:1`;
      const { code, stderr } = await copyWithSkopeo(`${transport}:${path("s.tar")}`, target);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect((await heldImage(registry.url, transport, "1")).diffIds).toEqual([diffId]);
    }
  });

  test.each([
    [["docker20-hello.tar"], 3, "it is an image archive, expected a root filesystem tar"],
    [["hello.tar.gz"], 3, "it is an image archive, expected a root filesystem tar"],
    [["skopeo19-oci.tar"], 3, "it is an image archive, expected a root filesystem tar"],
    [["manifest-goldens.json"], 3, "it looks like JSON, expected a root filesystem tar"],
    [["gone.tar"], 9, "no such file"],
    [["hello.tar.gz", "--env", "A"], 2, 'found no "=", expected NAME=VALUE'],
    [["hello.tar.gz", "--platform", "linux/amd64", "--platform", "linux/arm64"], 2, "given 2 times"],
  ])("imgpack import of %j ends with exit code %i and the reason", async ([file = "", ...flags], code, reason) => {
    const result = await imgpack.run(["import", fixture(file), "-t", `${registry.host}/bad:1`, ...flags]);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(reason) });
    await expect(heldManifest(registry.url, "bad", "1")).rejects.toThrow("status 404");
  });
});

describeWith([await probeDockerd({ containers: true }), "tar"], "imgpack import and docker", () => {
  let daemon: Dockerd;
  let imgpack: Imgpack;
  beforeAll(async () => {
    [daemon, imgpack] = await Promise.all([startDockerd(), createImgpack()]);
  });
  afterAll(async () => {
    await Promise.all([daemon?.close(), imgpack?.close()]);
  });

  async function docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await daemon.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  test("docker loads and runs what imgpack import made of a folder and of a tar, as docker import reads it", async () => {
    const rootfs = join(imgpack.folder, "rootfs");
    await makeRootfs(rootfs);
    const plain = join(imgpack.folder, "rootfs.tar");
    await run("tar", ["--create", "--file", plain, "--directory", rootfs, "."]);
    for (const [input, name] of [
      [rootfs, "folder:1"],
      [plain, "plain:1"],
    ] as const) {
      const archive = join(imgpack.folder, `${name.replace(":", "-")}.tar`);
      const settings = ["--env", "A=1", "--label", "k=v", "--expose", "80", "--user", "7", "--workdir", "/var"];
      const args = ["import", "--json", input, "-t", name, "-o", archive, ...entrypoint, ...settings];
      const { code, stdout, stderr } = await imgpack.run(args);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { imageId, diffId } = JSON.parse(stdout) as ImportResult;
      expect(await docker("load", "--input", archive)).toContain(`Loaded image: ${name}`);
      expect(await docker("image", "inspect", "--format", "{{.Id}}", name)).toBe(imageId);
      const [shown] = JSON.parse(await docker("image", "inspect", name));
      expect(shown).toMatchObject({
        RootFS: { Layers: [diffId] },
        Os: "linux",
        Architecture: architecture,
        Config: { User: "7", Env: ["A=1"], Labels: { k: "v" }, WorkingDir: "/var", ExposedPorts: { "80/tcp": {} } },
      });
      expect(await docker("run", "--rm", "--network=none", name)).toBe(greeting.trim());
      const link = ["--entrypoint", "/bin/hello-again"];
      expect(await docker("run", "--rm", "--network=none", ...link, name)).toBe(greeting.trim());
      if (input === plain) {
        const imported = await docker("import", plain);
        expect(await docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", imported)).toBe(`["${diffId}"]`);
        await docker("rmi", imported);
      }
      await docker("rmi", name);
    }
  });
});

describeWith([await probePodman({ containers: true }), "tar"], "imgpack import and podman", () => {
  let peer: Podman;
  let imgpack: Imgpack;
  beforeAll(async () => {
    [peer, imgpack] = await Promise.all([createPodman(), createImgpack()]);
  });
  afterAll(async () => {
    await Promise.all([peer?.close(), imgpack?.close()]);
  });

  test("podman loads and runs what imgpack import packed", async () => {
    const rootfs = join(imgpack.folder, "rootfs");
    const archive = join(imgpack.folder, "out.tar");
    await makeRootfs(rootfs);
    const imported = await imgpack.run(["import", rootfs, "-t", "localhost/packed:1", "-o", archive, ...entrypoint]);
    expect(imported).toMatchObject({ code: 0 });
    expect(await peer.podman(["load", "--input", archive])).toMatchObject({ code: 0 });
    const { stdout, stderr } = await peer.podman(["run", ...podmanRunFlags, "localhost/packed:1"]);
    expect({ stdout, stderr }).toMatchObject({ stdout: greeting });
  });
});
