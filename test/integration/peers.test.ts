import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Containerd, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, registryAccount, startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { createPodman, type Podman, podmanRunFlags } from "./peers/podman.ts";
import { run } from "./peers/run.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const hello = join(fixtures, "docker20-hello.tar");
const greeting = "Hello from imgpack!\n";

async function goldenImageId(file: string): Promise<string> {
  const goldens = JSON.parse(await readFile(join(fixtures, "manifest-goldens.json"), "utf8"));
  return goldens[file].images[0].imageId;
}

describe("run()", () => {
  test("run() gives status, both outputs and reads its input", async () => {
    const script = "process.stdin.pipe(process.stdout); console.error('to stderr'); process.exitCode = 7";
    const result = await run(process.execPath, ["-e", script], { input: "grüße" });
    expect(result).toMatchObject({ code: 7, stdout: "grüße", stderr: "to stderr\n" });
  });

  test("run() kills a program that outlasts its time", async () => {
    const forever = run(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: 300 });
    await expect(forever).rejects.toThrow("still running after 300 ms");
  });
});

describeWith(["docker-registry"], "startDockerRegistry()", () => {
  test("startDockerRegistry() answers /v2/ and logs the request", async () => {
    const registry = await startDockerRegistry();
    try {
      expect((await fetch(`${registry.url}/v2/`)).status).toBe(200);
      expect(registry.log()).toContain("GET /v2/");
    } finally {
      await registry.close();
    }
    await expect(fetch(`${registry.url}/v2/`)).rejects.toThrow();
  });

  test("startDockerRegistry() with htpasswd lets in the account and nobody else", async () => {
    const registry = await startDockerRegistry({ htpasswd: registryAccount.htpasswd });
    try {
      expect((await fetch(`${registry.url}/v2/`)).status).toBe(401);
      const { username, password } = registryAccount;
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
      expect((await fetch(`${registry.url}/v2/`, { headers: { authorization } })).status).toBe(200);
    } finally {
      await registry.close();
    }
  });

  test("startDockerRegistry() tells why a registry does not start", async () => {
    const env = { REGISTRY_HTTP_ADDR: "256.0.0.1:0" };
    await expect(startDockerRegistry({ env })).rejects.toThrow(
      /Cannot start docker-registry: it ended[\s\S]*256\.0\.0\.1/,
    );
  });
});

describeWith(["docker-registry", "skopeo"], "copyWithSkopeo()", () => {
  test("copyWithSkopeo() moves a fixture into a registry by plain HTTP", async () => {
    const registry = await startDockerRegistry();
    try {
      const copied = await copyWithSkopeo(`docker-archive:${hello}`, `docker://${registry.host}/hello:1`);
      expect(copied).toMatchObject({ code: 0 });
      const tags = await fetch(`${registry.url}/v2/hello/tags/list`);
      expect(await tags.json()).toEqual({ name: "hello", tags: ["1"] });
    } finally {
      await registry.close();
    }
  });
});

describeWith([await probeDockerd({ containers: true }), "docker-registry"], "startDockerd()", () => {
  let daemon: Dockerd;
  let registry: DockerRegistry;
  beforeAll(async () => {
    [daemon, registry] = await Promise.all([startDockerd(), startDockerRegistry()]);
  });
  afterAll(async () => {
    await Promise.all([daemon?.close(), registry?.close()]);
    expect(existsSync(dirname(daemon.socket))).toBe(false);
  });

  test("startDockerd() loads, runs and pushes a fixture", async () => {
    const loaded = await daemon.docker(["load", "--input", hello]);
    expect(loaded).toMatchObject({ code: 0, stdout: expect.stringContaining("hello:latest") });
    const id = await daemon.docker(["image", "inspect", "--format", "{{.Id}}", "hello:latest"]);
    // Docker's containerd store calls the manifest's digest the ID; this daemon has the classic store.
    expect(id.stdout.trim()).toBe(await goldenImageId("docker20-hello.tar"));
    const ran = await daemon.docker(["run", "--rm", "--network", "none", "hello:latest"]);
    expect(ran).toMatchObject({ code: 0, stdout: greeting });
    await daemon.docker(["tag", "hello:latest", `${registry.host}/hello:latest`]);
    expect(await daemon.docker(["push", `${registry.host}/hello:latest`])).toMatchObject({ code: 0 });
  });
});

describeWith([await probeContainerd({ containers: true })], "startContainerd()", () => {
  let daemon: Containerd;
  beforeAll(async () => {
    daemon = await startContainerd();
  });
  afterAll(() => daemon?.close());

  test("startContainerd() imports, lists and runs a fixture", async () => {
    const imported = await daemon.ctr(["images", "import", "--snapshotter", "native", hello]);
    expect(imported).toMatchObject({ code: 0 });
    const name = "docker.io/library/hello:latest";
    expect((await daemon.ctr(["images", "list", "--quiet"])).stdout).toBe(`${name}\n`);
    const ran = await daemon.ctr(["run", "--rm", "--snapshotter", "native", name, "hello"]);
    expect(ran).toMatchObject({ code: 0, stdout: greeting });
  });
});

describeWith([await probePodman({ containers: true })], "createPodman()", () => {
  let storage: Podman;
  beforeAll(async () => {
    storage = await createPodman();
  });
  afterAll(() => storage?.close());

  test("createPodman() loads a fixture under its image ID and runs it", async () => {
    expect(await storage.podman(["load", "--input", hello])).toMatchObject({ code: 0 });
    const id = await storage.podman(["image", "inspect", "--format", "{{.Id}}", "localhost/hello:latest"]);
    expect(`sha256:${id.stdout.trim()}`).toBe(await goldenImageId("docker20-hello.tar"));
    const ran = await storage.podman(["run", ...podmanRunFlags, "localhost/hello:latest"]);
    expect(ran).toMatchObject({ code: 0, stdout: greeting });
  });
});
