// docs/AIRGAP.md, command by command: from a list to containers that run behind the gap.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "../../src/index.ts";
import { SHELL_COMMAND } from "../support/command.ts";
import { ownBlocks } from "../support/docs/own-blocks.ts";
import { describeWith, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { fixture, greeting } from "./peers/goldens.ts";
import { createPodman, podmanRunFlags } from "./peers/podman.ts";
import { heldManifest } from "./peers/registry-content.ts";
import { type RunResult, run } from "./peers/run.ts";
import { createScene, type Scene } from "./peers/scene.ts";
import { type Served, startServer } from "./peers/served.ts";

/** In blocks that are not sh: a test of its own runs them. */
const OTHER_LINES = /^(?:openssl|par2) /m;
const blocks = ownBlocks(
  "docs/AIRGAP.md",
  ({ language, file, text }) => language === "sh" || file !== undefined || OTHER_LINES.test(text),
);
const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"));

const [docker, podman] = [await probeDockerd({ containers: true }), await probePodman({ containers: true })];

describeWith(["docker-registry", "tar", "diff", "openssl"], "docs/AIRGAP.md", () => {
  let outside: Scene;
  let inside: DockerRegistry;
  const results = new Map<string, RunResult>();

  let media: Served | undefined;

  const local = (text: string): string =>
    text
      .replaceAll("registry.lan:5000", outside.registry.host)
      .replaceAll("registry.inside:5000", inside.host)
      .replaceAll("media.inside:5000", media?.host ?? "")
      .replaceAll("0.0.0.0:5000", "127.0.0.1:0 --log none");

  beforeAll(async () => {
    [outside, inside] = await Promise.all([createScene(), startDockerRegistry()]);
    for (const { file, text } of blocks) if (file !== undefined) await writeFile(outside.path(file), local(text));
    await writeFile(
      outside.path("next.yaml"),
      ["hello:latest", "other:2"]
        .map(
          name => `apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "${local("registry.lan:5000")}/${name}"}]}\n`,
        )
        .join("---\n"),
    );
    const shim = outside.path("imgpack");
    await writeFile(shim, `#!/bin/sh\nexec ${SHELL_COMMAND} "$@"\n`);
    await chmod(shim, 0o755);
  });
  afterAll(async () => {
    await media?.end();
    await Promise.all([outside?.close(), inside?.close()]);
  });

  const desk = () => ({
    cwd: outside.imgpack.folder,
    env: {
      PATH: `${outside.imgpack.folder}:${process.env["PATH"]}`,
      IMGPACK_CACHE_DIR: outside.path("cache"),
      DOCKER_CONFIG: outside.path("docker-config"),
      IMGPACK_REGISTRY: undefined,
    },
  });
  const runLine = async (line: string): Promise<RunResult> => await run("sh", ["-c", local(line)], desk());

  test.each(commands)("%s", async line => {
    // Between the lock and the pull, a tag moves.
    if (line.startsWith("imgpack pull"))
      await outside.imgpack.push([
        fixture("docker20-two-tags.tar"),
        "--tag",
        `${outside.registry.host}/app:1.0`,
        "--image",
        "hello:latest",
      ]);
    if (line.startsWith("imgpack serve")) {
      media = await startServer("sh", ["-c", `exec ${local(line)}`], desk());
      return;
    }
    const result = await runLine(line);
    expect(result.code, result.stderr).toBe(0);
    results.set(line.split(" ", 4).join(" "), result);
  });

  test.each([
    ["ecdsa", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"],
    ["rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"],
  ])("openssl checks the signature of a key of type %s with the line of the page", async (type, options) => {
    const line = blocks.flatMap(({ text }) => text.split("\n")).find(text => text.includes(` ${type}.pub `)) ?? "";
    const make = `openssl genpkey ${options} -out ${type}.pem && openssl pkey -in ${type}.pem -pubout -out ${type}.pub`;
    expect(await runLine(make)).toMatchObject({ code: 0 });
    const key = await readFile(outside.path(`${type}.pem`), "utf8");
    await convert(outside.path("site.tar"), { output: outside.path("other.tar"), sparse: "keep", sign: { key } });
    await runLine("tar -xf other.tar imgpack.json imgpack.sig");
    expect(await runLine(line)).toMatchObject({ code: 0, stdout: "Verified OK\n" });
    await runLine("printf x >> imgpack.json");
    expect(await runLine(line)).toMatchObject({ code: 1 });
  });

  describeWith(["par2"], "par2", () => {
    test("the lines of the page repair a damaged volume, and change nothing in the others", async () => {
      const lines = blocks.flatMap(({ text }) => text.split("\n")).filter(line => line.startsWith("par2 "));
      const codes: number[] = [];
      for (const line of lines) {
        codes.push((await runLine(line)).code);
        if (line.includes(" create ")) await runLine("printf damage | dd of=site.v01.tar bs=1 seek=5000 conv=notrunc");
      }
      // That it can be repaired is 1.
      expect(codes).toEqual([0, 1, 0]);
      expect(await runLine("sha256sum -c site.sha256")).toMatchObject({ code: 0 });
    });
  });

  const inMirror = (name: string): string => `mirror/${outside.registry.host.replace(":", "_")}/${name}`;

  test("the commands find what the page says", () => {
    const { host } = outside.registry;
    const listed = results.get("imgpack lock --list -f")?.stdout.split("\n");
    expect(listed).toContain(`${host}/hello:latest\tcertain\tapp.yaml:11`);
    expect(listed).toContain(`# ${host}/large:1\tlikely\tapp.yaml:12`);
    const [request] = [...results]
      .filter(([line]) => line.includes("exists"))
      .map(([, { stdout }]) => stdout)
      .slice(-1);
    expect(request).toBe(`${host}/other:2\n`);
  });

  test("the archive is what the lock says, although a tag has moved", async () => {
    const lock = JSON.parse(await readFile(outside.path("site.lock"), "utf8"));
    const named = (name: string): { readonly digest: string } =>
      lock.images.find((image: { readonly name: string }) => image.name === `${outside.registry.host}/${name}`);
    const moved = await heldManifest(outside.registry.url, "app", "1.0");
    const pushed = results.get("imgpack push site.tar --to")?.stdout ?? "";
    expect(pushed).toContain(`/${inMirror("app")}:1.0@${named("app:1.0").digest}\n`);
    expect(pushed).not.toContain(`app:1.0@${moved.digest}`);
    // The delta of the next month brings it.
    expect((await heldManifest(inside.url, inMirror("app"), "1.0")).digest).toBe(moved.digest);
    expect((await heldManifest(inside.url, inMirror("team/base"), "1.0")).digest).toBe(named("team/base:1.0").digest);
    expect((await heldManifest(inside.url, inMirror("multi"), "1.0")).manifests).toHaveLength(2);
  });

  describeWith([docker], "docker inside", () => {
    test("runs the images by tag and by digest", async () => {
      const daemon = await startDockerd();
      try {
        for (const reference of await references())
          expect((await daemon.docker(["run", "--rm", "--network=none", reference])).stdout).toContain(greeting);
      } finally {
        await daemon.close();
      }
    });
  });

  describeWith([podman], "podman inside", () => {
    test("pulls an original name that only the registry inside has", async () => {
      const peer = await createPodman();
      try {
        const env = { CONTAINERS_REGISTRIES_CONF: outside.path("nodes/900-imgpack.conf") };
        const pulled = await peer.podman(["pull", "--quiet", local("registry.lan:5000/team/base:1.0")], { env });
        expect(pulled.code, pulled.stderr).toBe(0);
      } finally {
        await peer.close();
      }
    });

    test("runs the images by tag and by digest", async () => {
      const peer = await createPodman();
      try {
        for (const reference of await references())
          expect((await peer.podman(["run", ...podmanRunFlags, "--tls-verify=false", reference])).stdout).toContain(
            greeting,
          );
      } finally {
        await peer.close();
      }
    });
  });

  async function references(): Promise<readonly string[]> {
    const repository = inMirror("app");
    const { digest } = await heldManifest(inside.url, repository, "1.0");
    return [`${inside.host}/${repository}:1.0`, `${inside.host}/${repository}@${digest}`];
  }
});
