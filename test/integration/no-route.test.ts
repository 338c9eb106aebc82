// Behind an air gap: no route, no DNS, media that cannot be written, a home that cannot be written.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "../../src/index.ts";
import { readBundle, volumesOf } from "../support/bundle-files.ts";
import { COMMAND } from "../support/command.ts";
import { describeWith } from "./peers/describe-with.ts";
import { fixture } from "./peers/goldens.ts";
import { type Namespace, probeNamespace, startNamespace } from "./peers/namespace.ts";
import type { RunResult } from "./peers/run.ts";

const TRACE = ["-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none"];

describeWith([await probeNamespace(["strace"])], "a machine without a route", () => {
  let folder: string;
  let space: Namespace;
  let host: string;
  const medium = (name: string): string => join(folder, "medium", name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "imgpack-inside-"));
    await mkdir(medium("home"), { recursive: true });
    await convert(fixture("docker20-two-tags.tar"), { output: medium("site.tar") });
    const bundle = await readBundle(medium("site.tar"));
    const places = new Map(bundle.lock.blobs.map(({ digest }, index) => [digest, 1 + (index % 2)]));
    for (const [index, bytes] of volumesOf(bundle, 2, places).entries())
      await writeFile(medium(`site.v0${index + 1}.tar`), bytes);
    space = await startNamespace(medium(""), "--store", join(folder, "store"));
    host = space.host;
  });
  afterAll(async () => {
    await space?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** @returns also the addresses that the command sent something to. */
  async function inside(...words: readonly string[]): Promise<RunResult & { readonly asked: readonly string[] }> {
    const trace = join(folder, "trace");
    const result = await space.run("strace", [...TRACE, "-o", trace, ...COMMAND, ...words], {
      env: {
        HOME: medium("home"),
        IMGPACK_CACHE_DIR: undefined,
        XDG_CACHE_HOME: undefined,
        XDG_CONFIG_HOME: undefined,
        DOCKER_CONFIG: undefined,
        IMGPACK_REGISTRY: undefined,
      },
    });
    const calls = (await readFile(trace, "utf8")).matchAll(
      /sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"/g,
    );
    return { ...result, asked: [...new Set([...calls].map(([, port, address]) => `${address}:${port}`))] };
  }

  test("has a medium that cannot be written", async () => {
    const write = `echo x > ${medium("home/file")}`;
    const { code, stderr } = await space.run("sh", ["-c", write]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("Read-only");
  });

  test("checks and shows what is on the medium without a single request", async () => {
    for (const words of [
      ["verify", medium("site.tar")],
      ["inspect", medium("site.tar")],
    ])
      expect(await inside(...words)).toMatchObject({ code: 0, asked: [] });
  });

  test("pushes volumes, compares and lists with requests to the target alone", async () => {
    const target = ["--to", `${host}/mirror`, "--layout", "full", "--plain-http"];
    const pushed = await inside("push", medium("site.v02.tar"), medium("site.v01.tar"), ...target);
    expect(pushed).toMatchObject({ code: 0, asked: [host] });
    expect(pushed.stdout.split("\n")[0]).toMatch(/\/mirror\/docker\.io\/library\/.*@sha256:/);
    const compared = await inside(
      "inspect",
      medium("site.tar"),
      "--base",
      `${host}/mirror`,
      "--layout",
      "full",
      "--plain-http",
    );
    expect(compared, compared.stderr).toMatchObject({ code: 0, asked: [host] });
    expect(compared.stdout).toContain("unchanged");
    expect(await inside("exists", "-f", medium("site.tar"), ...target)).toMatchObject({
      code: 0,
      stdout: "",
      asked: [host],
    });
  });

  test("says at once that a name cannot be resolved, and which", async () => {
    const { code, stderr } = await inside("push", medium("site.tar"), "--to", "registry.inside:5000", "--retry", "0");
    expect(code).toBe(7);
    expect(stderr).toContain("registry.inside");
  });
});
