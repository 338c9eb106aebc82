// npm run image: what is in the image of imgpack, and that docker, podman and qemu run it.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probeDockerd, probePodman } from "../integration/peers/describe-with.ts";
import { registryAccount, startDockerRegistry } from "../integration/peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "../integration/peers/dockerd.ts";
import { fixture } from "../integration/peers/goldens.ts";
import { createImgpack, type Imgpack } from "../integration/peers/imgpack.ts";
import { createPodman, type Podman, podmanRunFlags } from "../integration/peers/podman.ts";
import { makePrivateCa, type PrivateCa } from "../integration/peers/private-ca.ts";
import { findTool, type RunResult, run } from "../integration/peers/run.ts";
import { type Served, startServe, startServer } from "../integration/peers/served.ts";
import { COMMAND } from "../support/command.ts";
import { type PodTemplate, readManifests } from "../support/pod-manifests.ts";
import { builtImage, OFFLINE, runImage } from "./built-image.ts";
import { podFlags } from "./pod-in-docker.ts";

const built = await builtImage();
const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
const NAME = `docker.io/library/imgpack:${version}`;
const page = await readFile(new URL("../../docs/IMAGE.md", import.meta.url), "utf8");
const HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];

let imgpack: Imgpack;
let served: Served;
beforeAll(async () => {
  imgpack = await createImgpack();
  served = await startServe(join(imgpack.folder, "store"));
});
afterAll(async () => {
  await served?.end();
  await Promise.all([imgpack?.close(), built.folder.remove()]);
});

/** Copies an image that is in the registry, from inside a container. */
async function expectCopies(runInside: (words: readonly string[]) => Promise<RunResult>, to: string): Promise<void> {
  const { images } = await imgpack.push([fixture("docker20-hello.tar"), "--registry", served.host]);
  const [first, second] = [`${served.host}/hello:latest`, `${served.host}/${to}:1`];
  const { code, stdout, stderr } = await runInside(["copy", first, second]);
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${second}@${images[0]?.digest}\n` });
}

describeWith([built], "npm run image", () => {
  test("the archive has an index of two platforms, and a bill of materials for each", async () => {
    const { images } = await imgpack.inspect(built.archive);
    expect(images).toMatchObject([
      { names: [NAME], platforms: [{ platform: "linux/amd64" }, { platform: "linux/arm64" }] },
    ]);
    expect(await imgpack.verify(built.archive)).toMatchObject({ faults: [] });
    await imgpack.push([built.archive, "--registry", served.host]);
    const found = ["amd64", "arm64"].map(async name => {
      const words = [`${served.host}/imgpack:${version}`, "--platform", `linux/${name}`, "--json"];
      const { stdout } = await imgpack.run(["referrers", ...words]);
      const { referrers } = JSON.parse(stdout);
      expect(referrers).toMatchObject([{ artifactType: "application/spdx+json" }]);
      return await sbomOf(referrers[0].digest);
    });
    for (const { packages, documentDescribes } of await Promise.all(found)) {
      expect(packages).toContainEqual(expect.objectContaining({ SPDXID: documentDescribes[0], versionInfo: version }));
      const names = packages.map((part: { name: string }) => part.name);
      expect(names).toEqual(expect.arrayContaining(["imgpack", "libc6", "ca-certificates", "yargs", "zlib-ng"]));
    }
  });

  async function sbomOf(digest: string) {
    const repository = `${served.host}/imgpack`;
    const manifest = JSON.parse((await imgpack.run(["manifest", "--raw", `${repository}@${digest}`])).stdout);
    return JSON.parse((await imgpack.run(["blob", `${repository}@${manifest.layers[0].digest}`, "-o", "-"])).stdout);
  }

  test("a second build, elsewhere, under another umask and without a network, gives the same bytes", {
    timeout: 300_000,
  }, async () => {
    const isIsolated = (await run("unshare", [...OFFLINE.slice(1), "true"]).catch(() => ({ code: 1 }))).code === 0;
    if (!isIsolated) console.warn("SKIPPED without a network: unshare cannot make a namespace");
    const temporary = join(imgpack.folder, "another folder");
    await mkdir(temporary);
    const out = join(temporary, "again.tar");
    const enter = [...(isIsolated ? OFFLINE : []), "sh", "-c", 'umask 077; exec "$@"', "sh"];
    const env = { TMPDIR: temporary, TZ: "Pacific/Apia", LANG: "C" };
    const { code, stderr } = await runImage(["--out", out, "--packages", built.packages], env, enter);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((await run("cmp", [out, built.archive])).stdout).toBe("");
  });

  test("oras finds the bill of materials", async context => {
    if (findTool("oras") === undefined) {
      console.warn("SKIPPED the image's bill of materials with oras: no oras");
      return context.skip();
    }
    const words = ["discover", "--plain-http", "--platform", "linux/arm64", `${served.host}/imgpack:${version}`];
    expect((await run("oras", words)).stdout).toContain("application/spdx+json");
  });
});

describeWith([built, await probeDockerd({ containers: true }), "openssl"], "the image of imgpack in docker", () => {
  let dockerd: Dockerd;
  let ca: PrivateCa;
  let secure: Served;
  /** Addresses of this machine are spoken to without TLS, names are not. */
  const named = () => `registry.test:${new URL(secure.url).port}`;
  const inside = (flags: readonly string[], words: readonly string[]): Promise<RunResult> =>
    dockerd.docker([
      "run",
      "--rm",
      "--network=host",
      "--add-host=registry.test:127.0.0.1",
      ...HARDENED,
      ...flags,
      NAME,
      ...words,
    ]);
  beforeAll(async () => {
    dockerd = await startDockerd();
    const { code, stderr } = await dockerd.docker(["load", "--input", built.archive]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    ca = await makePrivateCa(imgpack.folder);
    const [file, ...first] = COMMAND;
    const tls = ["--cert-file", ca.serverCert, "--key-file", ca.serverKey, "--allow-host", "registry.test"];
    const store = ["--store", join(imgpack.folder, "secure"), "--listen", "127.0.0.1:0", "--log", "none"];
    secure = await startServer(file, [...first, "serve", ...store, ...tls]);
  });
  afterAll(async () => {
    await secure?.end();
    await dockerd?.close();
  });

  test("it runs without rights, with nothing that it can write to", async () => {
    expect(await inside([], ["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
    const inspected = await dockerd.docker(["image", "inspect", NAME]);
    expect(JSON.parse(inspected.stdout)[0].Config).toMatchObject({ User: "65532:65532", WorkingDir: "/work" });
  });

  test("it copies between registries, also as a user that it does not know", async () => {
    await expectCopies(async words => await inside(["--user", "12345:54321"], words), "docker");
  });

  test("it pulls into a mounted folder, and pushes that to a registry with TLS", async () => {
    const work = join(imgpack.folder, "work");
    await mkdir(work);
    const mounted = [
      "--volume",
      `${work}:/work`,
      "--volume",
      `${ca.ca}:/ca.crt:ro`,
      "--user",
      "0:0",
      "--tmpfs",
      "/tmp",
    ];
    await imgpack.push([fixture("docker20-hello.tar"), "--to", `${served.host}/team`]);
    const line = (/docker run[^`]* -o app\.tar/.exec(page)?.[0] ?? "")
      .replace("imgpack:0.1.0", NAME)
      .replace("registry.lan:5000/team/app:1.4", `${served.host}/team/hello:latest`);
    const pulled = await run("sh", ["-c", line.replace("docker run", "docker run --network=host")], {
      cwd: work,
      env: { DOCKER_HOST: `unix://${dockerd.socket}` },
    });
    expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
    expect(await imgpack.verify(join(work, "app.tar"))).toMatchObject({ faults: [] });
    const words = ["push", "app.tar", "--to", `${named()}/tls`];
    expect(await inside(mounted, words)).toMatchObject({ code: 7, stderr: expect.stringContaining("certificate") });
    expect(await inside(mounted, [...words, "--ca-file", "/ca.crt"])).toMatchObject({ code: 0 });
  });

  test("it trusts the certificates of Debian, or a file in their stead", async () => {
    const bundle = join(imgpack.folder, "bundle.crt");
    const container = await dockerd.docker(["create", NAME]);
    const id = container.stdout.trim();
    await dockerd.docker(["cp", `${id}:/etc/ssl/certs/ca-certificates.crt`, bundle]);
    expect((await readFile(bundle, "utf8")).match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(100);
    await copyFile(ca.ca, bundle);
    const mounted = ["--volume", `${bundle}:/etc/ssl/certs/ca-certificates.crt:ro`];
    expect(await inside(mounted, ["ping", named()])).toMatchObject({ code: 0 });
  });
});

describeWith(
  [built, await probeDockerd({ containers: true }), "docker-registry"],
  "the pods of deploy/kubernetes in docker",
  () => {
    let dockerd: Dockerd;
    const argsOf = (pod: PodTemplate): readonly string[] => pod.spec.containers[0].args;
    const podOf = (part: "copy" | "serve"): PodTemplate => {
      const [manifest] = readManifests(part);
      if (manifest?.spec.template === undefined) throw new Error(`no pod in ${part}`);
      return manifest.spec.template;
    };
    beforeAll(async () => {
      dockerd = await startDockerd();
      await dockerd.docker(["load", "--input", built.archive]);
    });
    afterAll(async () => await dockerd?.close());

    test("an index of the Job logs in with its Secret, and copies its images of the lock in the ConfigMap", async () => {
      const { images } = await imgpack.push([fixture("docker20-hello.tar"), "--registry", served.host]);
      const lock = await makeFolder("lock");
      await imgpack.run(["lock", `${served.host}/hello:latest`, "-o", join(lock, "site.lock")]);
      const credentials = await makeFolder("credentials");
      const { username, password, htpasswd } = registryAccount;
      const registry = await startDockerRegistry({ htpasswd });
      try {
        const auth = Buffer.from(`${username}:${password}`).toString("base64");
        await writeFile(join(credentials, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
        const pod = podOf("copy");
        const args = argsOf(pod).map(word => word.replace("$(JOB_COMPLETION_INDEX)", "0"));
        const words = args.map(word => word.replace("registry.inside:5000", registry.host));
        const flags = ["--rm", "--network=host", ...podFlags(pod, { lock, credentials })];
        const { code, stdout, stderr } = await dockerd.docker(["run", ...flags, NAME, ...words]);
        const name = `${registry.host}/mirror/hello:latest`;
        expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${name}@${images[0]?.digest}\n` });
      } finally {
        await registry.close();
      }
    });

    test("the Deployment serves the bundle of its volume, and its probes answer", async () => {
      const bundle = await makeFolder("bundle");
      await copyFile(fixture("docker20-hello.tar"), join(bundle, "site.tar"));
      const pod = podOf("serve");
      const args = argsOf(pod).map(word => word.replace("0.0.0.0:5000", "127.0.0.1:0").replace("=json", "=none"));
      const words = ["run", "--rm", "--init", "--network=host", ...podFlags(pod, { bundle }), NAME, ...args];
      const server = await startServer("docker", words, { env: { DOCKER_HOST: `unix://${dockerd.socket}` } });
      try {
        const probe = await fetch(`${server.url}/healthz`);
        expect([probe.status, await probe.json()]).toEqual([200, { status: "ok", damage: 0 }]);
        expect((await imgpack.run(["catalog", server.host])).stdout).toContain("hello");
      } finally {
        await server.end();
      }
    });

    async function makeFolder(name: string): Promise<string> {
      const path = join(imgpack.folder, `pod-${name}`);
      await mkdir(path);
      return path;
    }
  },
);

describeWith([built, await probePodman({ containers: true })], "the image of imgpack in podman", () => {
  let podman: Podman;
  beforeAll(async () => {
    podman = await createPodman();
    const { code, stderr } = await podman.podman(["load", "--quiet", "--input", built.archive]);
    expect({ code }, stderr).toEqual({ code: 0 });
  });
  afterAll(async () => await podman?.close());

  test("it copies between registries, with nothing that it can write to", async () => {
    const flags = [...podmanRunFlags.filter(flag => !flag.startsWith("--network")), "--network=host", ...HARDENED];
    const start = ["run", ...flags, "--read-only-tmpfs=false", NAME];
    await expectCopies(async words => await podman.podman([...start, ...words]), "podman");
  });
});

describeWith([built, "qemu-aarch64"], "the image of imgpack for 64-bit ARM", () => {
  test("it runs with the libraries in it", { timeout: 300_000 }, async () => {
    const root = join(imgpack.folder, "arm64");
    await mkdir(root);
    const { images } = await imgpack.inspect(built.archive);
    const digest = images[0]?.platforms[1]?.layers[0]?.digest ?? "";
    const layer = join(imgpack.folder, "layer.tar.gz");
    await run("sh", ["-c", 'tar -xOf "$1" "blobs/$2" > "$3"', "sh", built.archive, digest.replace(":", "/"), layer]);
    expect((await run("tar", ["-xzf", layer, "-C", root, "--no-same-owner"])).stderr).toBe("");
    const words = ["-L", root, join(root, "usr/bin/imgpack"), "--version"];
    const options = { env: { IMGPACK_CACHE_DIR: imgpack.folder }, timeoutMs: 120_000 };
    expect(await run("qemu-aarch64", words, options)).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});
