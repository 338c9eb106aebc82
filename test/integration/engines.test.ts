// Images that go straight from and to real engines.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { seededBytes, storeImage } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { type PodmanService, startPodmanService } from "./peers/podman.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";
import { createScene, type Scene } from "./peers/scene.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the tests need of an engine. */
interface Peer {
  readonly env: Environment;
  /** A shell command that saves the image to stdout as a person would. */
  save(image: string): string;
  /** Names of all images. */
  names(): Promise<string>;
  close(): Promise<void>;
}

/** A pull whose registry stops in the middle of a layer is killed there. */
async function killedPull(output: string, env: Environment): Promise<void> {
  let onStall: () => void = () => undefined;
  const stalled = new Promise<void>(resolve => {
    onStall = resolve;
  });
  const stall = { after: 1_500_000, until: new Promise<never>(() => undefined) };
  const when = ({ path }: { readonly path: string }): boolean => path.includes("/blobs/");
  const registry = await ScriptedRegistry.start({
    faults: [{ on: /^GET .*\/blobs\//, times: 9, when, stall, onRequest: () => onStall() }],
  });
  storeImage(registry.content, [seededBytes("killed", 4_000_000)]);
  const words = ["pull", `${registry.host}/app:1`, "-o", output, "--platform", "linux/amd64", "--concurrency", "1"];
  const { child, outcome } = startCommand(words, { env });
  await Promise.race([
    stalled,
    outcome.then(({ stderr }) => {
      throw new Error(`imgpack ended before the registry stopped: ${stderr}`);
    }),
  ]);
  child.kill("SIGKILL");
  expect((await outcome).signal).toBe("SIGKILL");
}

function suite(scheme: "docker" | "podman" | "containerd", start: () => Promise<Peer>): void {
  let scene: Scene;
  let peer: Peer;
  let host: string;
  beforeAll(async () => {
    [scene, peer] = await Promise.all([createScene(), start()]);
    host = scene.registry.host;
  });
  afterAll(async () => {
    await Promise.all([scene?.close(), peer?.close()]);
  });

  test(`imgpack pull -o ${scheme}:// loads the image, and push ${scheme}://NAME gives the digest of the pipe`, async () => {
    const image = `${host}/large:1`;
    const { env } = peer;
    const { engine } = await scene.imgpack.pull([image, "-o", `${scheme}://`], { env });
    expect(engine).toMatchObject({ kind: scheme, loaded: [image] });
    expect(await peer.names()).toContain(image);
    const pushed = await scene.imgpack.push([`${scheme}://${image}`, "--tag", `${host}/direct:1`], { env });
    expect(pushed.engines).toMatchObject([{ kind: scheme, version: engine?.version }]);
    const pipe = `${peer.save(image)} | ${SHELL_COMMAND} push - --tag ${host}/pipe:1 --quiet`;
    const piped = await run("sh", ["-c", pipe], {
      env: { ...env, IMGPACK_CACHE_DIR: join(scene.imgpack.folder, "x") },
    });
    expect(piped, piped.stderr).toMatchObject({ code: 0 });
    const [direct, other] = await Promise.all([
      heldManifest(scene.registry.url, "direct", "1"),
      heldManifest(scene.registry.url, "pipe", "1"),
    ]);
    expect(direct.digest).toBe(other.digest);
    expect(pushed.images).toEqual([{ reference: `${host}/direct:1`, digest: other.digest }]);
  });

  test(`imgpack convert writes archives into ${scheme}://, and reads images of it`, async () => {
    const { env } = peer;
    const file = await scene.pulled("two.tar", `${host}/base:1.0`, `${host}/app:1.0`);
    const loaded = await scene.imgpack.run(["convert", file, `${scheme}://`], { env });
    expect(loaded, loaded.stderr).toMatchObject({ code: 0 });
    for (const name of ["base:1.0", "app:1.0"]) expect(await peer.names()).toContain(`${host}/${name}`);
    const copied = scene.path("copied.tar");
    const read = await scene.imgpack.run(["convert", `${scheme}://${host}/app:1.0`, copied], { env });
    expect(read, read.stderr).toMatchObject({ code: 0 });
    expect((await scene.imgpack.inspect(copied)).images).toMatchObject([{ names: [`${host}/app:1.0`] }]);
  });

  test(`an image that ${scheme} does not have is named with the nearest ones`, async () => {
    const { env } = peer;
    const missing = await scene.imgpack.run(["push", `${scheme}://${host}/large:2`, "--tag", `${host}/no:1`], { env });
    expect(missing.code).toBe(5);
    expect(missing.stderr).toContain("no such image, expected one that it has");
    expect(missing.stderr).toContain(`"${host}/large:1"`);
  });

  test(`a pull into ${scheme}:// that is killed in the middle of a layer leaves no image`, async () => {
    const before = (await peer.names()).split("\n").sort();
    await killedPull(`${scheme}://`, { ...peer.env, IMGPACK_CACHE_DIR: scene.path("killed-cache") });
    expect((await peer.names()).split("\n").sort()).toEqual(before);
  });
}

async function stdoutOf(result: Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>) {
  const { code, stdout, stderr } = await result;
  expect(code, stderr).toBe(0);
  return stdout;
}

describeWith([await probeDockerd(), "docker-registry", "tar"], "imgpack and docker:// of docker 20", () =>
  suite("docker", async () => {
    const daemon: Dockerd = await startDockerd();
    return {
      env: { DOCKER_HOST: `unix://${daemon.socket}` },
      save: image => `docker save ${image}`,
      names: async () => await stdoutOf(daemon.docker(["images", "--format", "{{.Repository}}:{{.Tag}}"])),
      close: daemon.close,
    };
  }),
);

describeWith([await probePodman(), "docker-registry", "tar"], "imgpack and podman:// by its service", () =>
  suite("podman", async () => {
    const service: PodmanService = await startPodmanService();
    return {
      env: { CONTAINER_HOST: `unix://${service.socket}` },
      save: image => `podman --remote save ${image}`,
      names: async () => await stdoutOf(service.podman(["images", "--format", "{{.Repository}}:{{.Tag}}"])),
      close: service.close,
    };
  }),
);

describeWith([await probePodman(), "docker-registry", "tar"], "imgpack and podman:// by its command", () =>
  suite("podman", async () => {
    const service: PodmanService = await startPodmanService();
    const folder = service.folder;
    const storage = ["[storage]", 'driver = "vfs"', `graphroot = "${folder}/root"`, `runroot = "${folder}/run"`];
    await writeFile(join(folder, "storage.conf"), `${storage.join("\n")}\n`);
    const env = {
      CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
      CONTAINERS_CONF: join(folder, "containers.conf"),
      CONTAINER_HOST: undefined,
    };
    return {
      env,
      save: image => `podman save ${image}`,
      names: async () => await stdoutOf(service.podman(["images", "--format", "{{.Repository}}:{{.Tag}}"])),
      close: service.close,
    };
  }),
);

describeWith([await probeContainerd(), "docker-registry", "tar"], "imgpack and containerd://", () =>
  suite("containerd", async () => {
    const daemon: Containerd = await startContainerd();
    return {
      env: {
        CONTAINERD_ADDRESS: daemon.address,
        CONTAINERD_NAMESPACE: daemon.namespace,
        CONTAINERD_SNAPSHOTTER: "native",
      },
      save: image => `ctr images export - ${image}`,
      names: async () => await stdoutOf(daemon.ctr(["images", "ls", "--quiet"])),
      close: daemon.close,
    };
  }),
);
