// Runtimes pull original names from a registry that push filled, and from archives that are served, through the files of
// `imgpack mirrors`. They run on a machine without a route: no one else could answer.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type MirrorRuntime, mirrors, type TargetLayout } from "../../src/index.ts";
import { COMMAND } from "../support/command.ts";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, type Probe, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { writeNamedImages } from "./peers/named-images.ts";
import { type Namespace, probeNamespace, startNamespace } from "./peers/namespace.ts";
import { createPodman, type Podman } from "./peers/podman.ts";
import { findTool, run } from "./peers/run.ts";
import { createTempFolder } from "./peers/temp-folder.ts";

const NAMES = ["docker.io/library/hello:1", "quay.io/team/app:1", "registry.lan:5000/team/shop:1"] as const;

const ABSENT = "docker.io/library/absent:1";

interface Target {
  readonly name: string;
  /** As of `push`, like the others. */
  readonly to: () => string;
  readonly layout: TargetLayout;
  readonly map?: string;
  /** Whether it has the archive itself. */
  readonly isServed?: boolean;
}

const [docker, podman, containerd] = await Promise.all([probeDockerd(), probePodman(), probeContainerd()]);
const withHosts = await dockerWithHosts();

describeWith([await probeNamespace(), "docker-registry"], "imgpack mirrors", () => {
  let imgpack: Imgpack;
  let inside: Namespace;
  let registry: DockerRegistry;
  /** By name. */
  const digests = new Map<string, string>();
  const path = (...names: string[]): string => join(imgpack.folder, ...names);

  beforeAll(async () => {
    imgpack = await createImgpack();
    await mkdir(path("medium"));
    const site = path("medium", "site.tar");
    await writeNamedImages(imgpack, NAMES, site);
    inside = await startNamespace(path("medium"), site);
    registry = await startDockerRegistry({ enter: inside.enter });
    const [file, ...first] = COMMAND;
    for (const { to, layout, map = [], isServed } of targets) {
      if (isServed === true) continue;
      const words = ["push", site, "--to", to(), "--layout", layout, ...[map].flat().flatMap(one => ["--map", one])];
      const env = { IMGPACK_CACHE_DIR: path("cache"), DOCKER_CONFIG: path("none"), IMGPACK_REGISTRY: undefined };
      const { code, stderr } = await inside.run(file, [...first, ...words], { env });
      expect(code, stderr).toBe(0);
    }
    for (const { names, digest } of (await imgpack.inspect(site)).images) {
      for (const name of names) digests.set(name, digest ?? "");
    }
  });
  afterAll(async () => {
    await registry?.close();
    await inside?.close();
    await imgpack?.close();
  });

  /** What can be a mirror, and where images are there. */
  const targets: readonly Target[] = [
    { name: "a registry below a prefix", to: () => `${registry.host}/mirror`, layout: "full" },
    { name: "a registry with the paths of Docker Hub", to: () => registry.host, layout: "full", map: "docker.io=" },
    { name: "a registry with one level", to: () => `${registry.host}/flat`, layout: "flat" },
    { name: "imgpack serve", to: () => inside.host, layout: "full", isServed: true },
    {
      name: "imgpack serve by the paths of Docker Hub",
      to: () => inside.host,
      layout: "full",
      map: "docker.io=",
      isServed: true,
    },
  ];

  const digestOf = (name: string): string => digests.get(name) ?? "";
  const byDigest = (name: string): string => `${name.replace(/:[^:/]*$/, "")}@${digestOf(name)}`;

  /** What the mirror lacks, no one else is asked for: a look-up of the name of the registry would fail here. */
  function expectNoOther(stderr: string): void {
    expect(stderr).toMatch(/not found|unknown|404/i);
    expect(stderr).not.toMatch(/lookup|dial|resolv(?:e|ing) host/);
  }

  /** Each name, and each repository with a digest. */
  const wantedNames = (): readonly string[] => [...NAMES, ...NAMES.map(byDigest)];
  const wantedDigests = (): ReadonlyMap<string, string> =>
    new Map([...NAMES, ...NAMES].map((name, index) => [wantedNames()[index] ?? "", digestOf(name)]));

  /** Writes the files of a runtime into a new folder. */
  async function filesOf(runtime: MirrorRuntime, { name, to, layout, map }: Target): Promise<string> {
    const output = path(`${runtime} ${name}`);
    await mirrors([path("medium", "site.tar")], { to: to(), layout, map, for: runtime, output });
    return output;
  }

  describeWith([containerd], "containerd", () => {
    let daemon: Containerd;
    const pull = ["images", "pull", "--snapshotter", "native"];
    beforeAll(async () => {
      daemon = await startContainerd(inside.enter);
      // Since 2.0, the daemon unpacks what ctr pulls, if it is configured for that.
      if ((await daemon.ctr(["images", "pull", "--help"])).stdout.includes("--local")) pull.push("--local");
    });
    afterAll(async () => await daemon?.close());

    test.each(targets.filter(({ layout }) => layout !== "flat"))("pulls from $name", async target => {
      const folder = await filesOf("containerd", target);
      for (const wanted of wantedNames()) {
        const pulled = await daemon.ctr([...pull, "--hosts-dir", folder, wanted]);
        expect(pulled.code, pulled.stderr).toBe(0);
      }
      const listed = (await daemon.ctr(["images", "list"])).stdout.split("\n").slice(1, -1);
      const found = listed.map(line => line.split(/\s+/)).map(([name = "", , digest]) => [name, digest]);
      expect(new Map(found as [string, string][])).toEqual(wantedDigests());
      await daemon.ctr(["images", "rm", "--sync", ...wantedNames()]);
      expectNoOther((await daemon.ctr([...pull, "--hosts-dir", folder, ABSENT])).stderr);
    });
  });

  describeWith([podman], "podman", () => {
    let storage: Podman;
    beforeAll(async () => {
      storage = await createPodman(inside.enter);
    });
    afterAll(async () => await storage?.close());

    test.each(targets)("pulls from $name", async target => {
      const folder = await filesOf("podman", target);
      const env = { CONTAINERS_REGISTRIES_CONF: join(folder, "900-imgpack.conf") };
      const pulled = await storage.podman(["pull", "--quiet", ...wantedNames()], { env });
      expect(pulled.code, pulled.stderr).toBe(0);
      const format = ["--format", "{{.Digest}}"];
      const { stdout } = await storage.podman(["image", "inspect", ...format, ...wantedNames()]);
      expect(stdout.trim().split("\n")).toEqual([...wantedDigests().values()]);
      await storage.podman(["rmi", "--all", "--force"]);
      if (target.layout === "full") expectNoOther((await storage.podman(["pull", "--quiet", ABSENT], { env })).stderr);
    });
  });

  describeWith([docker], "docker", () => {
    let daemon: Dockerd | undefined;
    afterEach(async () => await daemon?.close());

    async function expectPulled(...names: readonly string[]): Promise<void> {
      for (const name of names) {
        for (const wanted of [name, byDigest(name)]) {
          const pulled = await daemon?.docker(["pull", "--quiet", wanted]);
          expect(pulled?.code, pulled?.stderr).toBe(0);
          const found = await daemon?.docker(["image", "inspect", "--format", "{{json .RepoDigests}}", wanted]);
          expect(found?.stdout).toContain(digestOf(name));
          await daemon?.docker(["rmi", "--force", wanted]);
        }
      }
    }

    test.each(targets.filter(({ map }) => map !== undefined))("pulls from $name, of Docker Hub", async target => {
      const folder = await filesOf("docker", target);
      const config = JSON.parse(await readFile(join(folder, "daemon.json"), "utf8"));
      daemon = await startDockerd({ config, enter: inside.enter });
      await expectPulled(NAMES[0]);
    });

    describeWith([withHosts], "hosts.toml", () => {
      test.each(targets.filter(({ layout }) => layout !== "flat"))("pulls from $name", async target => {
        const folder = await filesOf("docker", target);
        // Where Docker looks is fixed.
        const mounted = ["sh", "-c", 'mount --bind "$1" /etc/docker && shift && exec "$@"', "sh", folder];
        const enter = [...inside.enter, "unshare", "--mount", ...mounted];
        daemon = await startDockerd({
          config: { features: { "containerd-snapshotter": true } },
          storageDriver: "native",
          enter,
        });
        await expectPulled(...NAMES);
      });
    });
  });
});

describeWith([await kustomize()], "kubectl kustomize", () => {
  test("gives manifests their images at the mirror, whatever way they write a name", async () => {
    const folder = await createTempFolder();
    try {
      const digest = `@sha256:${"0".repeat(64)}`;
      const written = [
        "hello:1",
        `docker.io/hello${digest}`,
        "docker.io/library/hello",
        "quay.io/team/app:2",
        NAMES[2],
        "other:1",
      ];
      const containers = written.map((image, index) => ({ name: `c${index}`, image }));
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "pod" }, spec: { containers } };
      await mkdir(join(folder.path, "mirror"));
      await writeFile(join(folder.path, "pod.yaml"), JSON.stringify(pod));
      await writeFile(join(folder.path, "list.txt"), NAMES.join("\n"));
      await writeFile(join(folder.path, "kustomization.yaml"), "resources: [pod.yaml]\ncomponents: [mirror]\n");
      const output = join(folder.path, "mirror");
      await mirrors([join(folder.path, "list.txt")], { to: "mirror.lan/m", layout: "full", for: "kustomize", output });
      const { stdout, stderr } = await run("kubectl", ["kustomize", folder.path]);
      const hello = "mirror.lan/m/docker.io/library/hello";
      const images = [...stdout.matchAll(/image: (.*)/g)].map(([, image]) => image);
      expect(images, stderr).toEqual([
        `${hello}:1`,
        `${hello}${digest}`,
        hello,
        "mirror.lan/m/quay.io/team/app:2",
        "mirror.lan/m/registry.lan_5000/team/shop:1",
        "other:1",
      ]);
    } finally {
      await folder.remove();
    }
  });
});

/** Docker reads hosts.toml since 28, with the containerd image store. */
async function dockerWithHosts(): Promise<Probe> {
  const name = "docker 28 or later";
  const installed = findTool("dockerd") === undefined ? "" : (await run("dockerd", ["--version"])).stdout;
  const version = /version (\d+)\./.exec(installed)?.[1];
  return {
    name,
    missing: Number(version) >= 28 ? undefined : version === undefined ? "none is installed" : `found ${version}`,
  };
}

/** Components are of kustomize 4, and kubectl says the version since then. */
async function kustomize(): Promise<Probe> {
  const name = "kubectl with kustomize 4 or later";
  if (findTool("kubectl") === undefined) return { name, missing: "none is installed" };
  const { stdout } = await run("kubectl", ["version", "--client", "--output=json"]);
  return { name, missing: /"kustomizeVersion": "v[4-9]/.test(stdout) ? undefined : "an older one" };
}
