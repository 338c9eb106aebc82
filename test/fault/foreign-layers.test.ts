// Layers that a publisher asks not to distribute, as every old Windows image has: most registries lack them.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { copy, doctor, inspectArchive, type PullOptions, pull, push, tag, verify } from "../../src/index.ts";
import { CANARIES, expectNoCanary, written } from "../support/canaries.ts";
import { configOf, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const LAYER = "application/vnd.docker.image.rootfs";
const layerOf = (body: string): Buffer => Buffer.from(tarArchive([tarEntry({ name: "file", body })]));
const [BASE, OWN] = [layerOf("base"), layerOf("own")];
const FOREIGN = gzipSync(BASE);
const notes: string[] = [];
const options = {
  platform: "linux/amd64",
  onProgress: (event: { readonly kind: string; readonly message?: string }) => {
    if (event.kind === "note") notes.push(event.message ?? "");
  },
} as const;

/** A registry with the image `win:1`, whose base layer is elsewhere. */
async function registryWith(urls: readonly string[], script: ScriptOptions = {}): Promise<ScriptedRegistry> {
  notes.length = 0;
  const registry = await ScriptedRegistry.start(script);
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: registry.content.addBlob(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("application/vnd.docker.container.image.v1+json", Buffer.from(configOf([BASE, OWN]))),
    layers: [
      { mediaType: `${LAYER}.foreign.diff.tar.gzip`, digest: sha256(FOREIGN), size: FOREIGN.length, urls },
      describe(`${LAYER}.diff.tar.gzip`, gzipSync(OWN)),
    ],
  };
  registry.content.addManifest("win:1", MANIFEST, Buffer.from(JSON.stringify(manifest)));
  return registry;
}

function manifestOf({ content }: ScriptedRegistry, name: string): string | undefined {
  return content.manifests.get(name)?.bytes.toString();
}

async function pulled(registry: ScriptedRegistry, more: Partial<PullOptions> = {}): Promise<string> {
  const output = join(await temporaryFolder(), "win.tar");
  await pull([`${registry.host}/win:1`], { ...options, ...more, output });
  return output;
}

describe("a foreign layer that the registry lacks", () => {
  test("copy and tag leave it where it is, and keep the manifest", async () => {
    const registry = await registryWith(["https://example.com/base"]);
    const target = await ScriptedRegistry.start();
    await copy(`${registry.host}/win:1`, `${target.host}/win:1`, options);
    await tag(`${registry.host}/win:1`, ["other/win:2"], { onProgress: options.onProgress });
    expect(manifestOf(target, "win:1")).toBe(manifestOf(registry, "win:1"));
    expect(manifestOf(registry, "other/win:2")).toBe(manifestOf(registry, "win:1"));
    expect(notes[0]).toBe(
      `Leaving out foreign layer ${sha256(FOREIGN)} (${FOREIGN.length} bytes): not in ${registry.host}/win, its publisher has it at example.com`,
    );
  });

  test("a dry run of pull, push and copy names it, too", async () => {
    const registry = await registryWith(["https://example.com/base"]);
    const path = await pulled(registry);
    const isNamed = (): boolean => notes.some(text => text.startsWith(`Leaving out foreign layer ${sha256(FOREIGN)}`));
    for (const run of [
      async () => await pulled(registry, { dryRun: true }),
      async () => await push([path], { onProgress: options.onProgress, registry: registry.host, dryRun: true }),
      async () => await copy(`${registry.host}/win:1`, `${registry.host}/win:2`, { ...options, dryRun: true }),
    ]) {
      notes.length = 0;
      await run();
      expect(isNamed()).toBe(true);
    }
  });

  test("an archive without it is not damaged, no runtime loads it, and push sends the rest", async () => {
    const registry = await registryWith(["https://example.com/base"]);
    const path = await pulled(registry);
    const { faults, unchecked } = await verify(path, { diffIds: true });
    expect({ faults, unchecked }).toEqual({
      faults: [],
      unchecked: [`foreign layer ${sha256(FOREIGN)}: not in the archive, its publisher has it at example.com`],
    });
    const { images } = await inspectArchive(path);
    expect(images[0]?.platforms[0]?.layers.map(({ absentFrom }) => absentFrom)).toEqual([["example.com"], undefined]);
    const { loaders } = await doctor(path, { quick: true });
    expect(new Set(loaders.map(({ why }) => why[0]))).toEqual(new Set(["a foreign layer is not in the archive"]));
    const target = await ScriptedRegistry.start();
    await push([path], { registry: target.host });
    expect(manifestOf(target, "win:1")).toBe(manifestOf(registry, "win:1"));
  });

  test("push sends the rest of an image whose raw layers it compresses, and changes no foreign layer", async () => {
    const registry = await registryWith(["https://example.com/base"]);
    const [gzip, own] = JSON.parse(manifestOf(registry, "win:1") ?? "").layers;
    const raw = { ...gzip, mediaType: `${LAYER}.foreign.diff.tar`, digest: sha256(BASE), size: BASE.length };
    const layers = [
      gzip,
      raw,
      { mediaType: `${LAYER}.diff.tar`, digest: registry.content.addBlob(OWN), size: OWN.length },
    ];
    const manifest = { ...JSON.parse(manifestOf(registry, "win:1") ?? ""), layers };
    registry.content.addManifest("win:1", MANIFEST, Buffer.from(JSON.stringify(manifest)));
    const path = await pulled(registry);
    const target = await ScriptedRegistry.start();
    await push([path], { registry: target.host });
    const sent = JSON.parse(manifestOf(target, "win:1") ?? "").layers;
    expect(sent).toMatchObject([gzip, raw, { mediaType: own.mediaType }]);
  });

  test("a docker archive, which cannot leave it out, is refused", async () => {
    const registry = await registryWith([]);
    await expect(pulled(registry, { for: "docker" })).rejects.toMatchObject({ exitCode: 3 });
  });

  test("a registry that does not take such a manifest is exit code 8, with what to allow", async () => {
    const registry = await registryWith(["https://example.com/base"]);
    const reply = { status: 400, body: Buffer.from('{"errors":[{"code":"MANIFEST_INVALID"}]}') };
    const target = await ScriptedRegistry.start({ faults: [{ on: /PUT .*manifests/, times: 9, reply }] });
    await expect(copy(`${registry.host}/win:1`, `${target.host}/win:1`, options)).rejects.toMatchObject({
      exitCode: 8,
      hint: expect.stringContaining("validation.manifests.urls.allow"),
    });
  });
});

describe("A-01 pull with foreign: fetch", () => {
  const auth = { scheme: "basic", user: "ci", password: CANARIES.password } as const;
  const given = { registry: { auth: { username: "ci", password: CANARIES.password } }, foreign: "fetch" } as const;
  const blobPath = `/v2/base/blobs/${sha256(FOREIGN)}`;

  test("gets the layer from its URL, without credentials, and checks its digest", async () => {
    const publisher = await ScriptedRegistry.start();
    publisher.content.addBlob(FOREIGN);
    const registry = await registryWith([`${publisher.url}/gone`, `${publisher.url}${blobPath}`], { auth });
    const path = await pulled(registry, given);
    expect(await verify(path, { diffIds: true })).toMatchObject({ faults: [], unchecked: [] });
    expect(publisher.requests.map(({ method }) => method)).toEqual(["HEAD", "HEAD", "GET"]);
    expectNoCanary(written(publisher.requests));
  });

  test("answers no challenge of that host", async () => {
    const headers = { "www-authenticate": 'Basic realm="x"' };
    const publisher = await ScriptedRegistry.start({
      faults: [{ on: /./, times: 9, reply: { status: 401, headers } }],
    });
    const registry = await registryWith([`${publisher.url}/base`], { auth });
    await expect(pulled(registry, given)).rejects.toMatchObject({
      exitCode: 8,
      message: `Cannot pull foreign layer ${sha256(FOREIGN)} from ${new URL(publisher.url).host}: status 401, expected 200`,
      hint: "No credentials are sent to a URL that an image names.",
    });
    expect(publisher.requests).toHaveLength(1);
    expectNoCanary(written(publisher.requests));
  });

  test("sends no credentials even if the URL is at the registry itself", async () => {
    const registry = await registryWith([], { auth });
    const { content, url } = registry;
    const named = manifestOf(registry, "win:1")?.replace('"urls":[]', `"urls":["${url}/v2/secret/config"]`) ?? "";
    content.addManifest("win:1", MANIFEST, Buffer.from(named));
    await expect(pulled(registry, given)).rejects.toMatchObject({ exitCode: 8 });
    const asked = registry.requests.filter(({ path }) => path.startsWith("/v2/secret"));
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test.each(["http://user:pw@127.0.0.1/x", "http://169.254.169.254/x", "file:///etc/passwd", "http://0x7f.1/x"])(
    "asks nothing of %s",
    async url => {
      const registry = await registryWith([url], { auth });
      await expect(pulled(registry, given)).rejects.toMatchObject({ exitCode: 8 });
    },
  );

  test("refuses other bytes than the digest says", async () => {
    const publisher = await ScriptedRegistry.start({
      faults: [{ on: /GET/, times: 9, reply: { status: 200, body: Buffer.alloc(FOREIGN.length, 1) } }],
    });
    publisher.content.addBlob(FOREIGN);
    const registry = await registryWith([`${publisher.url}${blobPath}`], { auth });
    await expect(pulled(registry, given)).rejects.toMatchObject({ exitCode: 6 });
  });
});
