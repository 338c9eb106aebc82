import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { legacyArchives } from "../support/shape-archives-legacy.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { createPodman, type Podman } from "./peers/podman.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

/** Each with the image ID that docker 20.10 gives it. */
const IMAGES = [/a chain of three/, /docker 1\.6/].map(name => {
  const archive = legacyArchives().find(shape => name.test(shape.name));
  if (archive === undefined || !("images" in archive.expected)) throw new Error(`no shape ${name}`);
  const [image] = archive.expected.images;
  return { bytes: archive.bytes, name: image?.names[0] ?? "", imageId: image?.configDigest ?? "" };
});

let imgpack: Imgpack;
let old: Awaited<ReturnType<typeof V1Registry.open>>;
let output: string;
/** Archives of Docker 1.9 and 1.6 in a v1 registry, and what is pulled from there. */
beforeAll(async () => {
  [imgpack, old] = await Promise.all([createImgpack(), V1Registry.open({ manner: "0.9", hasIndex: true })]);
  const { host } = old.registry;
  for (const [index, { bytes, name }] of IMAGES.entries()) {
    const file = join(imgpack.folder, `${index}.tar`);
    await writeFile(file, bytes);
    const pushed = await imgpack.run(["push", file, "--image", name, "--tag", `v1://${host}/${name}`]);
    expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
  }
  output = join(imgpack.folder, "pulled.tar");
  await imgpack.pull([...IMAGES.map(({ name }) => `v1://${host}/${name}`), "-o", output]);
  await imgpack.verify(output);
});
afterAll(async () => {
  await Promise.all([imgpack?.close(), old?.close()]);
});

function namesOf(): readonly string[] {
  return IMAGES.map(({ name }) => `${old.registry.host}/${name}`);
}

describeWith([await probeDockerd()], "docker and what imgpack pulls from a v1 registry", () => {
  let daemon: Dockerd;
  beforeAll(async () => {
    daemon = await startDockerd();
  });
  afterAll(() => daemon?.close());

  test("docker loads it, and the images have the IDs of the archives that were pushed", async () => {
    const { code, stderr } = await daemon.docker(["load", "--input", output]);
    expect(code, stderr).toBe(0);
    const { stdout } = await daemon.docker(["image", "inspect", "--format", "{{.Id}}", ...namesOf()]);
    expect(stdout.trim().split("\n")).toEqual(IMAGES.map(({ imageId }) => imageId));
  });
});

describeWith([await probePodman()], "podman and what imgpack pulls from a v1 registry", () => {
  let storage: Podman;
  beforeAll(async () => {
    storage = await createPodman();
  });
  afterAll(() => storage?.close());

  test("podman loads it", async () => {
    const { code, stderr } = await storage.podman(["load", "--input", output]);
    expect(code, stderr).toBe(0);
    const { stdout } = await storage.podman(["images", "--quiet", "--no-trunc"]);
    for (const { imageId } of IMAGES) expect(stdout).toContain(imageId);
  });
});

describeWith([await probeContainerd()], "containerd and what imgpack pulls from a v1 registry", () => {
  let daemon: Containerd;
  beforeAll(async () => {
    daemon = await startContainerd();
  });
  afterAll(() => daemon?.close());

  test("ctr imports it", async () => {
    const { code, stderr } = await daemon.ctr(["images", "import", "--snapshotter", "native", output]);
    expect(code, stderr).toBe(0);
    const { stdout } = await daemon.ctr(["images", "list", "--quiet"]);
    expect(stdout.trim().split("\n").sort()).toEqual([...namesOf()].sort());
  });
});

describeWith(["docker-registry", "skopeo"], "registries and what imgpack pulls from a v1 registry", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry?.close());

  test("imgpack pushes it to docker-registry, where skopeo reads it under the same image IDs", async () => {
    const { images } = await imgpack.push([output, "--to", registry.host]);
    expect(images).toHaveLength(IMAGES.length);
    for (const [index, { name, imageId }] of IMAGES.entries()) {
      const folder = join(imgpack.folder, `dir-${index}`);
      const read = await copyWithSkopeo(`docker://${registry.host}/${name}`, `dir:${folder}`);
      expect(read, read.stderr).toMatchObject({ code: 0 });
      expect((await imgpack.inspect(folder)).images[0]?.platforms[0]?.config).toBe(imageId);
    }
  });
});
