// A list becomes volumes outside, one is damaged on the way, and all of it ends in engines behind the gap; then a second
// delivery carries only what is new.
import { mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND } from "../support/command.ts";
import { dockerArchive, seededBytes } from "../support/images.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { describeWith, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { type Namespace, probeNamespace, startNamespace } from "./peers/namespace.ts";
import { createPodman } from "./peers/podman.ts";
import { heldManifest } from "./peers/registry-content.ts";
import type { RunResult } from "./peers/run.ts";
import { startServe } from "./peers/served.ts";

const MIB = 1024 * 1024;
const VOLUME_BYTES = 8 * MIB;
const PIECE_BYTES = 4 * MIB;
const NAMES = ["team/shop:1", "team/shop:2", "team/cart:1"] as const;

const layer = (seed: string, bytes: number): Uint8Array =>
  tarArchive([tarEntry({ name: seed, body: seededBytes(seed, bytes) })]);

const [docker, podman] = [await probeDockerd(), await probePodman()];
const needs = [await probeNamespace(), docker, podman, "docker-registry", "sha256sum"];

describeWith(needs, "three desks", () => {
  let outside: DockerRegistry;
  let imgpack: Imgpack;
  let inside: Namespace;
  const path = (...names: string[]): string => join(imgpack.folder, ...names);

  beforeAll(async () => {
    [outside, imgpack] = await Promise.all([startDockerRegistry(), createImgpack()]);
    await mkdir(path("medium"));
    const base = layer("base", 9 * MIB);
    for (const [name, own] of [
      ["team/shop:1", layer("shop one", MIB)],
      ["team/shop:2", layer("shop two", MIB)],
      ["team/cart:1", layer("cart", 6 * MIB)],
    ] as const) {
      const archive = path("image.tar");
      await writeFile(archive, dockerArchive({ layers: [base, own] }));
      await imgpack.push([archive, "--tag", `${outside.host}/${name}`]);
    }
    inside = await startNamespace(path("medium"), "--store", path("store"));
  });
  afterAll(async () => {
    await Promise.all([outside?.close(), inside?.close()]);
    await imgpack?.close();
  });

  /** Of the desk outside, which writes the medium. */
  async function run(...words: readonly string[]): Promise<RunResult> {
    const result = await imgpack.run(words);
    expect(result.code, result.stderr).toBe(0);
    return result;
  }
  /** Of the desk inside. */
  async function runInside(...words: readonly string[]): Promise<RunResult> {
    const [file, ...first] = COMMAND;
    const env = { IMGPACK_CACHE_DIR: path("inside-cache"), DOCKER_CONFIG: path("none"), IMGPACK_REGISTRY: undefined };
    return await inside.run(file, [...first, ...words], { env });
  }
  const volumes = async (): Promise<readonly string[]> =>
    (await readdir(path("medium"))).filter(name => name.endsWith(".tar")).map(name => path("medium", name));
  const sizeOf = async (...names: string[]): Promise<number> => (await stat(path(...names))).size;

  test("outside: a list is locked, and pulled into volumes of 8 MiB", async () => {
    await writeFile(path("list.txt"), [NAMES[0], NAMES[2]].map(name => `${outside.host}/${name}\n`).join(""));
    await run("lock", "-f", path("list.txt"), "-o", path("site.lock"));
    await run("pull", "-f", path("site.lock"), "-o", path("medium", "site.tar"), "--volume-size", `${VOLUME_BYTES}`);
    const files = await volumes();
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) expect((await stat(file)).size).toBeLessThanOrEqual(VOLUME_BYTES);
    const check = 'cd "$1" && sha256sum --check --quiet site.sha256';
    const summed = await inside.run("sh", ["-c", check, "sh", path("medium")]);
    expect(summed.code, summed.stderr).toBe(0);
  });

  test("inside: damage is found, with the volume and the bytes, and a need list is written", async () => {
    const [, second = ""] = await volumes();
    await using file = await open(second, "r+");
    const position = Math.floor((await file.stat()).size / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, position);
    const verified = await runInside("verify", ...(await volumes()).toReversed(), "--need", path("need.json"));
    expect(verified.code, verified.stderr).toBe(6);
    expect(verified.stdout + verified.stderr).toContain("site.v02.tar");
    const need = JSON.parse(await readFile(path("need.json"), "utf8")) as { blobs: unknown[][] };
    expect(need.blobs).toHaveLength(1);
    const refused = await runInside("push", ...(await volumes()), "--to", inside.host, "--layout", "full");
    expect(refused.code).not.toBe(0);
  });

  test("outside: the patch has the damaged piece alone", async () => {
    await run("pull", "-f", path("need.json"), "-o", path("patch.tar"));
    expect(await sizeOf("patch.tar")).toBeLessThan(PIECE_BYTES + 64 * 1024);
  });

  test("inside: volumes and patch are pushed together", async () => {
    const target = ["--to", `${inside.host}/mirror`, "--layout", "full"];
    const pushed = await runInside("push", ...(await volumes()), path("patch.tar"), ...target);
    expect(pushed.code, pushed.stderr).toBe(0);
  });

  test("the second delivery carries what is new, and says what that saves", async () => {
    await writeFile(path("next.txt"), NAMES.map(name => `${outside.host}/${name}\n`).join(""));
    await run("pull", "-f", path("next.txt"), "-o", path("delta.tar"), "--base", path("site.lock"));
    expect(await sizeOf("delta.tar")).toBeLessThan(2 * MIB);
    const { stdout } = await run("inspect", path("delta.tar"), "--base", path("site.lock"));
    expect(stdout).toMatch(/1 new, 0 changed, 2 unchanged/);
    const pushed = await runInside("push", path("delta.tar"), "--to", `${inside.host}/mirror`, "--layout", "full");
    expect(pushed.code, pushed.stderr).toBe(0);
  });

  test("inside: podman and docker pull all of it by tag and by digest, and the digests are those of outside", async () => {
    // Engines of this machine: the store that the namespace filled is served again.
    await inside.close();
    const served = await startServe(path("store"));
    const [daemon, storage] = await Promise.all([startDockerd(), createPodman()]);
    try {
      for (const name of NAMES) {
        const [repository = "", tag = ""] = name.split(":");
        const mirrored = `mirror/${outside.host.replace(":", "_")}/${repository}`;
        const { digest } = await heldManifest(outside.url, repository, tag);
        expect((await heldManifest(served.url, mirrored, tag)).digest).toBe(digest);
        for (const wanted of [`${mirrored}:${tag}`, `${mirrored}@${digest}`]) {
          const reference = `${served.host}/${wanted}`;
          expect(await storage.podman(["pull", "--tls-verify=false", reference])).toMatchObject({ code: 0 });
          expect(await daemon.docker(["pull", reference])).toMatchObject({ code: 0 });
        }
      }
    } finally {
      await Promise.all([served.end(), daemon.close(), storage.close()]);
    }
  });
});
