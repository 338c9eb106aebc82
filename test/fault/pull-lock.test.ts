import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ImgpackError, lock, NotFoundError, type PullOptions, pull, UsageError } from "../../src/index.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { configOf, temporaryFolder } from "../support/images.ts";
import { putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { lockOf, storeIndex } from "./lock-support.ts";

ownEnvironment();

const PLATFORM = { platform: "linux/amd64" };

/** Two images, a lock of them, and the archive of the same moment; then the tags move. */
async function scene(options: Partial<PullOptions> = PLATFORM) {
  const registry = await ScriptedRegistry.start();
  const stored = {
    one: storeIndex(registry.content, "team/one:1"),
    two: storeIndex(registry.content, "team/two:2"),
  };
  putReferrer(registry.content, "team/two", { tag: tagOf(stored.two.digest, ".sig") });
  const folder = await temporaryFolder();
  const images = [
    { reference: `${registry.host}/team/two:2`, name: "inside.lan/two:stable" },
    { reference: `${registry.host}/team/one:1@${stored.one.digest}` },
    { reference: `${registry.host}/team/one:1`, platform: "linux/amd64" },
  ];
  const first = join(folder, "first.tar");
  await pull(images, { ...options, output: first });
  const { text } = await lock(images, options);
  const path = join(folder, "site.lock");
  await writeFile(path, text);
  storeIndex(registry.content, "team/one:1", { seed: "moved" });
  registry.content.manifests.delete("team/two:2");
  putReferrer(registry.content, "team/two", { tag: tagOf(stored.two.digest, ".sbom"), text: "added later" });
  registry.requests.length = 0;
  return { registry, stored, folder, first, path, text, output: join(folder, "later.tar") };
}

describe("pull of a lock", () => {
  test("takes one that PowerShell wrote in UTF-16, and does not take it for a list", async () => {
    const { first, path, text, output } = await scene();
    await writeFile(path, Buffer.from(`\uFEFF${text}`, "utf16le"));
    expect(await runCommand("pull", "-f", path, "-o", output)).toMatchObject({ exitCode: 0 });
    expect(await readFile(output)).toEqual(await readFile(first));
  });

  test.each([
    ["some platforms", PLATFORM],
    ["all platforms", { platform: "all" }],
    ["platforms in another order", { platform: ["linux/arm64", "linux/amd64"] }],
    ["indexes without the others", { ...PLATFORM, sparse: "prune" }],
    ["no referrers", { ...PLATFORM, referrers: false }],
  ] as const)("gives the same archive byte for byte, although tags have moved: %s", async (_, options) => {
    const { registry, first, path, output, stored } = await scene(options as Partial<PullOptions>);
    await pull([], { lock: path, output });
    expect(await readFile(output)).toEqual(await readFile(first));
    expect(registry.seen(/manifests\/[12]$|tags\/list|referrers/)).toEqual([]);
    expect(registry.seen(new RegExp(`manifests/${stored.one.digest}$`))).not.toEqual([]);
    // The archive is its own lock.
    await pull([], { lock: first, output: `${output}.again` });
    expect(await readFile(`${output}.again`)).toEqual(await readFile(first));
  });

  test("credentials of the call do not go to a registry that only a lock names", async () => {
    const { registry, path, output } = await scene();
    const auth = { username: "user", password: "secret" };
    const error = await failure(pull([], { lock: path, output, registry: { auth } }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain("expected a registry that you name");
    expect(registry.requests).toEqual([]);
    await pull([], { lock: path, output, registry: { host: registry.host, auth } });
  });

  test("names each image and digest that has gone, and writes nothing (exit code 5)", async () => {
    const { registry, stored, folder, path, output } = await scene();
    registry.content.manifests.delete(stored.two.digest);
    const child = stored.one.platforms.get("amd64")?.manifest ?? "";
    registry.content.manifests.delete(child);
    const before = await readdir(folder);
    const error = await failure(pull([], { lock: path, output }));
    expect(error).toBeInstanceOf(NotFoundError);
    for (const text of [stored.two.digest, child, "inside.lan/two:stable", "/team/one:1"])
      expect(error.message).toContain(text);
    expect(error.hint).toContain("imgpack lock");
    expect(await readdir(folder)).toEqual(before);
  });

  test("names each layer that has gone, and gives no archive its name", async () => {
    const { registry, stored, path, output } = await scene();
    const layers = [...(stored.one.platforms.get("amd64")?.layers ?? [])];
    for (const digest of layers) registry.content.blobs.delete(digest);
    const error = await failure(pull([], { lock: path, output }));
    expect(error).toBeInstanceOf(NotFoundError);
    for (const digest of layers) expect(error.message).toContain(`layer ${digest}`);
    expect(existsSync(output)).toBe(false);
  });

  test("asks the other repositories of a blob if its own is gone", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /^GET \/v2\/gone\//, times: 99, reply: { status: 404 } }],
    });
    const stored = storeIndex(registry.content, "team/one:1");
    const folder = await temporaryFolder();
    const { text } = await lock([`${registry.host}/team/one:1`], PLATFORM);
    const host = registry.host;
    const { formatLock, parseLock } = await lockModules();
    const known = parseLock(Buffer.from(text), { where: "x" });
    const images = known.images.map(image => ({ ...image, name: `${host}/gone/one:1` }));
    const given = Buffer.from(formatLock({ ...known, images }));
    const error = await failure(pull([], { lock: given, output: join(folder, "out.tar") }));
    // What the name says of the repository changes the lock; the image itself is found.
    expect(error.message).toContain("this call gives the lock");
    expect(registry.seen(new RegExp(`team/one/manifests/${stored.digest}`))).not.toEqual([]);
  });

  test.each([
    ["--platform", { platform: "linux/arm64" }],
    ["--sparse", { sparse: "prune" }],
    ["--no-referrers", { referrers: false }],
    ["--layers", { layers: "raw" }],
  ] as const)("refuses %s that contradicts it", async (flag, options) => {
    const { path, output } = await scene();
    const error = await failure(pull([], { lock: path, output, ...(options as Partial<PullOptions>) }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(`Cannot use ${flag} with a lock`);
  });

  test("recompresses layers as the archive has them, also by the lock of that archive", async () => {
    const registry = await ScriptedRegistry.start();
    const layer = Buffer.from(tarArchive([tarEntry({ name: "hello", body: "hello\n".repeat(1000) })]));
    const config = Buffer.from(configOf([layer]));
    const describe = (mediaType: string, bytes: Buffer): object => ({
      mediaType,
      digest: registry.content.addBlob(bytes),
      size: bytes.length,
    });
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(OCI_CONFIG, config) };
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: [describe(OCI_LAYER, layer)] }));
    const digest = registry.content.addManifest("team/raw:1", OCI_MANIFEST, bytes);
    const folder = await temporaryFolder();
    const [first, again] = [join(folder, "first.tar"), join(folder, "again.tar")];
    await pull([`${registry.host}/team/raw:1`], { output: first, layers: "gzip", ...PLATFORM });
    const found = await lockOf(first);
    expect(found).toMatchObject({ layers: "gzip", images: [{ digest, written: expect.not.stringContaining(digest) }] });
    await pull([], { lock: first, output: again });
    expect(await readFile(again)).toEqual(await readFile(first));
    const { message } = await failure(pull([], { lock: first, output: again, layers: "keep" }));
    expect(message).toContain("Cannot use --layers with a lock: found keep, expected gzip");
  });

  test("takes choices that repeat it", async () => {
    const { first, path, output } = await scene();
    await pull([], { lock: path, output, platform: "linux/amd64", sparse: "keep", referrers: true, layers: "keep" });
    expect(await readFile(output)).toEqual(await readFile(first));
  });
});

describe("imgpack pull -f", () => {
  test("takes a lock, an archive with one, and a lock on stdin's bytes; other inputs next to it are refused", async () => {
    const { first, path, folder, output, registry } = await scene();
    for (const [index, input] of [path, first].entries()) {
      const result = await runCommand("pull", "-f", input, "-o", `${output}${index}`);
      expect(result).toMatchObject({ exitCode: 0 });
      expect(await readFile(`${output}${index}`)).toEqual(await readFile(first));
    }
    const list = join(folder, "images.txt");
    await writeFile(list, `${registry.host}/team/one:1\n`);
    for (const words of [
      ["-f", path, "-f", list],
      ["-f", path, `${registry.host}/team/one:1`],
      ["-f", path, "--failed-list", "x"],
    ]) {
      const { exitCode, stderr } = await runCommand("pull", ...words, "-o", output);
      expect([exitCode, /expected (?:it|a lock) alone/.test(stderr)]).toEqual([2, true]);
    }
  });

  test.each([
    ["edited", (text: string) => text.replace("linux/amd64", "linux/arm64"), /its contents have the id/],
    ["of a newer version", (text: string) => text.replace('"version":1', '"version":9'), /found version 9, expected 1/],
    ["cut off", (text: string) => text.slice(0, -20), /expected/],
  ])("refuses a lock that is %s (exit code 2)", async (_, change, message) => {
    const { text, path, output } = await scene();
    await writeFile(path, change(text));
    const { exitCode, stderr } = await runCommand("pull", "-f", path, "-o", output);
    expect([exitCode, existsSync(output)]).toEqual([2, false]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain("site.lock");
  });
});

async function failure(task: Promise<unknown>): Promise<ImgpackError> {
  return await task.then(
    () => Promise.reject(new Error("no error")),
    (error: ImgpackError) => error,
  );
}

async function lockModules() {
  const [{ formatLock }, { parseLock }] = await Promise.all([
    import("../../src/bundle/lock/format-lock.ts"),
    import("../../src/bundle/lock/parse-lock.ts"),
  ]);
  return { formatLock, parseLock };
}
