// Runtimes pull from a set of volumes and an archive of docker save, which are served as one registry on a machine without a
// route.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMerged } from "../../src/archive/set/open-archives.ts";
import { readBundle, volumesOf } from "../support/bundle-files.ts";
import { seededBytes } from "../support/images.ts";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { writeNamedImages } from "./peers/named-images.ts";
import { type Namespace, probeNamespace, startNamespace } from "./peers/namespace.ts";
import { createPodman, type Podman } from "./peers/podman.ts";

/** Two with one path: only `ns` or the full name tells them apart. */
const VOLUMES = ["quay.io/team/shop:1", "registry.lan:5000/team/shop:1", "quay.io/team/other:1"] as const;
/** In docker20-shared.tar, without a manifest and with raw layers. */
const SAVED = ["app:1.0", "base:1.0"] as const;

const [docker, podman, containerd] = await Promise.all([probeDockerd(), probePodman(), probeContainerd()]);

describeWith([await probeNamespace()], "imgpack serve of archives", () => {
  let imgpack: Imgpack;
  let inside: Namespace;
  /** Of what is asked below the host of the registry: `path:tag`. */
  const digests = new Map<string, string>();
  const path = (...names: string[]): string => join(imgpack.folder, ...names);

  beforeAll(async () => {
    imgpack = await createImgpack();
    await mkdir(path("medium"));
    const whole = path("whole.tar");
    await writeNamedImages(imgpack, VOLUMES, whole, name => seededBytes(name, 50_000));
    const bundle = await readBundle(whole);
    const places = new Map(bundle.lock.blobs.map(({ digest }, index) => [digest, 1 + (index % 2)]));
    const medium: string[] = [];
    for (const [index, bytes] of volumesOf(bundle, 2, places).entries()) {
      medium.unshift(path("medium", `site.v0${index + 1}.tar`));
      await writeFile(medium[0] ?? "", bytes);
    }
    medium.push(path("medium", "saved.tar"));
    await writeFile(medium.at(-1) ?? "", await readFile(fixture("docker20-shared.tar")));
    inside = await startNamespace(path("medium"), ...medium);
    for (const { name, digest } of bundle.lock.images) digests.set(name.replace(":5000", "_5000"), digest);
    await using archive = await openMerged(medium);
    expect(archive.images).toHaveLength(VOLUMES.length + SAVED.length);
  });
  afterAll(async () => {
    await inside?.close();
    await imgpack?.close();
  });

  async function digestAt(name: string): Promise<string> {
    const [repository = "", tag = ""] = name.split(/:(?=[^:]*$)/);
    const { stdout } = await inside.run("curl", ["-sI", `http://${inside.host}/v2/${repository}/manifests/${tag}`]);
    return /docker-content-digest: (\S+)/i.exec(stdout)?.[1] ?? "";
  }

  /** Each name below the host, with the digest that it must have. */
  async function wanted(): Promise<readonly (readonly [string, string])[]> {
    const found: (readonly [string, string])[] = [...digests];
    for (const name of SAVED) found.push([name, await digestAt(name)]);
    return found;
  }

  const pinned = (name: string, digest: string): string => `${name.replace(/:[^:/]*$/, "")}@${digest}`;

  describeWith([docker], "docker", () => {
    let daemon: Dockerd;
    beforeAll(async () => {
      daemon = await startDockerd({ enter: inside.enter });
    });
    afterAll(async () => await daemon?.close());

    test("pulls by tag and by digest", async () => {
      for (const [name, digest] of await wanted()) {
        for (const one of [`${inside.host}/${name}`, `${inside.host}/${pinned(name, digest)}`]) {
          const pulled = await daemon.docker(["pull", "--quiet", one]);
          expect(pulled.code, pulled.stderr).toBe(0);
          const found = await daemon.docker(["image", "inspect", "--format", "{{json .RepoDigests}}", one]);
          expect(found.stdout).toContain(digest);
          await daemon.docker(["rmi", "--force", one]);
        }
      }
    });
  });

  describeWith([podman], "podman", () => {
    let storage: Podman;
    beforeAll(async () => {
      storage = await createPodman(inside.enter);
    });
    afterAll(async () => await storage?.close());

    test("pulls by tag and by digest", async () => {
      const all = await wanted();
      const names = all.flatMap(([name, digest]) => [name, pinned(name, digest)].map(one => `${inside.host}/${one}`));
      const pulled = await storage.podman(["pull", "--quiet", "--tls-verify=false", ...names]);
      expect(pulled.code, pulled.stderr).toBe(0);
      const { stdout } = await storage.podman(["image", "inspect", "--format", "{{.Digest}}", ...names]);
      expect(stdout.trim().split("\n")).toEqual(all.flatMap(([, digest]) => [digest, digest]));
    });
  });

  describeWith([containerd], "containerd", () => {
    let daemon: Containerd;
    const pull = ["images", "pull", "--snapshotter", "native"];
    beforeAll(async () => {
      daemon = await startContainerd(inside.enter);
      // Since 2.0, the daemon unpacks what ctr pulls, if it is configured for that.
      if ((await daemon.ctr(["images", "pull", "--help"])).stdout.includes("--local")) pull.push("--local");
    });
    afterAll(async () => await daemon?.close());

    test("pulls by tag and by digest, and original names through ?ns=", async () => {
      for (const [name, digest] of await wanted()) {
        for (const one of [`${inside.host}/${name}`, `${inside.host}/${pinned(name, digest)}`]) {
          const pulled = await daemon.ctr([...pull, "--plain-http", one]);
          expect(pulled.code, pulled.stderr).toBe(0);
        }
      }
      const hosts = path("hosts");
      for (const registry of ["quay.io", "registry.lan:5000", "docker.io"]) {
        await mkdir(join(hosts, registry), { recursive: true });
        const lines = [`server = "http://${inside.host}"`, `[host."http://${inside.host}"]`];
        await writeFile(
          join(hosts, registry, "hosts.toml"),
          [...lines, 'capabilities = ["pull", "resolve"]', ""].join("\n"),
        );
      }
      const originals = [...VOLUMES, ...SAVED.map(name => `docker.io/library/${name}`)];
      for (const name of originals) {
        const pulled = await daemon.ctr([...pull, "--hosts-dir", hosts, name]);
        expect(pulled.code, pulled.stderr).toBe(0);
      }
      const listed = (await daemon.ctr(["images", "list"])).stdout.split("\n").slice(1, -1);
      const found = new Map(listed.map(line => line.split(/\s+/)).map(([name = "", , digest]) => [name, digest]));
      for (const name of VOLUMES) expect(found.get(name)).toBe(digests.get(name.replace(":5000", "_5000")));
      const absent = await daemon.ctr([...pull, "--hosts-dir", hosts, "docker.io/team/other:1"]);
      expect(absent.stderr).toMatch(/not found/);
    });
  });

  describeWith(["skopeo"], "skopeo", () => {
    test("copies what is served, raw layers and gzip", async () => {
      for (const [index, [name]] of (await wanted()).entries()) {
        const target = `dir:${path(`skopeo${index}`)}`;
        const source = `docker://${inside.host}/${name}`;
        const copied = await inside.run("skopeo", ["copy", "--src-tls-verify=false", source, target]);
        expect(copied.code, copied.stderr).toBe(0);
      }
    });
  });

  describeWith(["crane"], "crane", () => {
    test("pulls what is served", async () => {
      for (const [name] of await wanted()) {
        const pulled = await inside.run("crane", [
          "pull",
          "--insecure",
          "--format",
          "oci",
          `${inside.host}/${name}`,
          path("crane"),
        ]);
        expect(pulled.code, pulled.stderr).toBe(0);
      }
    });
  });
});
