import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { copy, copyTo, pull, push } from "../../src/index.ts";
import { configOf, dockerArchive, fileWith, storeImage, temporaryFolder } from "../support/images.ts";
import { layoutArchive } from "../support/layout-archives.ts";
import { putIndex, putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { BIG_LAYER, expectStored, pushTo, SMALL_LAYER } from "./push-support.ts";
import { putSharingImages } from "./shards-support.ts";

/** Images of two layers: a third of them share one, the others another one. */
const SHARING = 6;

/** What a registry was asked since the last call. */
function takeRequests(registry: ScriptedRegistry): readonly string[] {
  return registry.requests.splice(0).map(({ method, path }) => `${method} ${path.split("?", 1)[0]}`);
}

describe("push() of an image that is there already, with nothing known from before", () => {
  test("asks once, compresses nothing and sends nothing", async () => {
    const registry = await ScriptedRegistry.start();
    const first = await pushTo(registry);
    expectStored(first);
    takeRequests(registry);
    const { result } = await pushTo(registry);
    expect(takeRequests(registry)).toEqual(["GET /v2/app/manifests/1"]);
    expect(result).toMatchObject({ bytesSent: 0, requests: 1, blobs: { uploaded: 0 } });
    expect(result?.images).toEqual(first.result?.images);
  });

  test("says that copies of what the registry has were not checked, so that damage in them is no surprise", async () => {
    const registry = await ScriptedRegistry.start();
    const keep = { options: { compression: "keep" } } as const;
    const first = await pushTo(registry, keep);
    expect(first.result?.uncheckedBlobs).toBe(0);
    const again = await pushTo(registry, keep);
    expect(again.result).toMatchObject({ uncheckedBlobs: 3, blobs: { skipped: 3 } });
  });

  test("puts it under a tag that does not stand for it yet", async () => {
    const registry = await ScriptedRegistry.start();
    const first = await pushTo(registry);
    const again = await pushTo(registry, { options: { tag: [`${registry.host}/app:1`, `${registry.host}/app:2`] } });
    expectStored(again, undefined, "app:2");
    const digest = first.result?.images[0]?.digest;
    expect(again.result?.images).toEqual([
      { reference: `${registry.host}/app:1`, digest },
      { reference: `${registry.host}/app:2`, digest },
    ]);
  });

  test("replaces another image under the same tag", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry, { layers: [BIG_LAYER] });
    expectStored(await pushTo(registry, { layers: [BIG_LAYER, SMALL_LAYER] }));
  });

  test("pushes all the same when a level of compression was asked for", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry);
    const { result } = await pushTo(registry, { options: { compression: "gzip:9" } });
    expect(result?.blobs.uploaded).toBeGreaterThan(0);
  });

  test("does not ask where the layers are small", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry, { layers: [SMALL_LAYER] });
    expect(takeRequests(registry)).not.toContain("GET /v2/app/manifests/1");
  });

  test("takes an answer that makes no sense for a no", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /^GET \/v2\/app\/manifests\//, times: 1, reply: { status: 200, body: Buffer.from("<html>") } }],
    });
    expectStored(await pushTo(registry));
  });
});

/** An archive of an index, with a signature of it by subject and one under a tag. */
async function signedIndex(): Promise<Uint8Array> {
  const { content, host } = await ScriptedRegistry.start();
  content.hasReferrers = true;
  const one = storeImage(content, [Buffer.from("one")]).digest;
  const two = storeImage(content, [Buffer.from("two")]).digest;
  const entries = [one, two].map((digest, index) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest,
    size: content.manifests.get(digest)?.bytes.length,
    platform: { os: "linux", architecture: ["amd64", "arm64"][index] },
  }));
  const digest = putIndex(content, "app:1", entries);
  putReferrer(content, "app", { subject: digest, artifactType: "application/spdx+json" });
  putReferrer(content, "app", { tag: tagOf(digest, ".sig") });
  const output = join(await temporaryFolder(), "out.tar");
  await pull([`${host}/app:1`], { output, platform: "all" });
  return await readFile(output);
}

/** An archive that names its image by its digest alone. */
function pinned(layer: Uint8Array): Uint8Array {
  const [digest] = layoutArchive([{ names: [], layers: [layer] }]).manifests;
  return layoutArchive([{ names: [`registry.lan/app@${digest}`], layers: [layer] }]).bytes;
}

const ARCHIVES: Readonly<Record<string, () => Uint8Array | Promise<Uint8Array>>> = {
  "a docker archive with small raw layers": () => dockerArchive({ tags: ["app:1"], layers: [SMALL_LAYER] }),
  "a docker archive with raw layers of any size": () =>
    dockerArchive({ tags: ["app:1"], layers: [BIG_LAYER, SMALL_LAYER] }),
  "a docker archive with compressed layers": () =>
    dockerArchive({ tags: ["app:1"], layers: [gzipSync(SMALL_LAYER)], config: configOf([SMALL_LAYER]) }),
  "a docker archive with several tags": () =>
    dockerArchive({ tags: ["app:1", "app:2", "other:1"], layers: [BIG_LAYER, SMALL_LAYER] }),
  "a docker archive that is compressed": () => gzipSync(dockerArchive({ tags: ["app:1"], layers: [SMALL_LAYER] })),
  "a layout with compressed layers and several names": () =>
    layoutArchive([
      {
        names: ["registry.lan/app:1", "registry.lan/app:2"],
        layers: [gzipSync(SMALL_LAYER)],
        inflated: [SMALL_LAYER],
      },
    ]).bytes,
  "a layout with an image that only its digest names": () => pinned(gzipSync(SMALL_LAYER)),
  "a layout with raw layers": () => layoutArchive([{ names: ["registry.lan/app:1"], layers: [BIG_LAYER] }]).bytes,
  "an index with what refers to it": signedIndex,
};

describe("a second push() sends no body", () => {
  for (const [name, bytes] of Object.entries(ARCHIVES)) {
    for (const cached of [false, true]) {
      test(`of ${name}, ${cached ? "with" : "without"} a cache`, async () => {
        const registry = await ScriptedRegistry.start();
        const archive = await fileWith(await bytes());
        const options = { registry: registry.host, ...(cached ? { cacheDir: await temporaryFolder() } : {}) };
        const first = await push([archive], options);
        expect(first.bytesSent).toBeGreaterThan(0);
        takeRequests(registry);
        const again = await push([archive], options);
        expect(registry.seen(/^(PUT|PATCH) /)).toEqual([]);
        expect(registry.requests.filter(({ body }) => body.length > 0)).toEqual([]);
        expect(again).toMatchObject({ bytesSent: 0, blobs: { uploaded: 0 } });
        expect(again.images.map(({ reference, digest }) => [reference, digest])).toEqual(
          first.images.map(({ reference, digest }) => [reference, digest]),
        );
      });
    }
  }

  test("and a second copy() of a signed index neither", async () => {
    const from = await ScriptedRegistry.start();
    await push([await fileWith(await signedIndex())], { registry: from.host });
    const to = await ScriptedRegistry.start();
    await copy(`${from.host}/app:1`, `${to.host}/app:1`);
    takeRequests(to);
    await copy(`${from.host}/app:1`, `${to.host}/app:1`);
    expect(takeRequests(to).filter(line => !/^(GET|HEAD) /.test(line))).toEqual([]);
  });

  test("but the manifest, if the registry has lost it or the tag means another image", async () => {
    const registry = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [SMALL_LAYER] }));
    await push([archive], { registry: registry.host });
    registry.content.manifests.clear();
    takeRequests(registry);
    const { images } = await push([archive], { registry: registry.host });
    expect(takeRequests(registry).filter(line => line.startsWith("PUT"))).toEqual(["PUT /v2/app/manifests/1"]);
    storeImage(registry.content, [BIG_LAYER]);
    await push([archive], { registry: registry.host });
    expect(takeRequests(registry).filter(line => line.startsWith("PUT"))).toEqual(["PUT /v2/app/manifests/1"]);
    expect(registry.content.manifests.get("app:1")?.bytes).toEqual(
      registry.content.manifests.get(images[0]?.digest ?? "")?.bytes,
    );
  });

  test("nor asks for a mount: what several repositories have is looked up in each, once", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const names = putSharingImages(from.content, SHARING);
    const output = join(await temporaryFolder(), "site.tar");
    await pull(
      names.map(name => `${from.host}/${name}`),
      { output },
    );
    for (const cacheDir of [undefined, await temporaryFolder()]) {
      const options = { to: to.host, cacheDir, compression: "keep" } as const;
      await push([output], options);
      takeRequests(to);
      await push([output], options);
      const requests = takeRequests(to);
      expect(requests.filter(line => !line.startsWith("HEAD "))).toEqual([]);
      // Two layers, a config and a manifest, by its tag.
      expect(requests).toHaveLength(4 * SHARING);
      expect(new Set(requests).size).toBe(requests.length);
    }
  });

  test("and a copy asks once for each tag, with verify once for each blob and manifest", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const sources = putSharingImages(from.content, SHARING).map(name => `${from.host}/${name}`);
    await copyTo(sources, to.host);
    takeRequests(to);
    await copyTo(sources, to.host);
    const tags = sources.map(source => `HEAD /v2/${/team.*(?=:)/.exec(source)?.[0]}/manifests/1`);
    expect(takeRequests(to).toSorted()).toEqual(tags.toSorted());
    await copyTo(sources, to.host, { verify: true });
    const verifying = takeRequests(to);
    expect(verifying.filter(line => !line.startsWith("HEAD "))).toEqual([]);
    expect(verifying).toHaveLength(4 * SHARING);
    expect(new Set(verifying).size).toBe(verifying.length);
  });

  test("and a new repository gets what others have by a mount, after one look", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const names = putSharingImages(from.content, 2 * SHARING);
    const output = join(await temporaryFolder(), "site.tar");
    const sources = names.map(name => `${from.host}/${name}`);
    await pull(sources, { output });
    to.content.isApart = true;
    const { blobs } = await push([output], { to: to.host, compression: "keep" });
    expect(blobs.mounted).toBe(2 * SHARING - 2);
    // One look for each that is mounted, and one after it.
    const looks = to.requests.filter(({ method, path }) => method === "HEAD" && path.includes("/blobs/"));
    expect(looks).toHaveLength(3 * 2 * SHARING + blobs.mounted);
  });

  test("of an image that another repository of the registry has, each manifest is looked for once and put", async () => {
    const registry = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [SMALL_LAYER] }));
    const cacheDir = await temporaryFolder();
    await push([archive], { registry: registry.host, cacheDir });
    takeRequests(registry);
    await push([archive], { tag: `${registry.host}/other:1`, cacheDir });
    expect(takeRequests(registry).filter(line => line.includes("manifests"))).toEqual([
      "HEAD /v2/other/manifests/1",
      "GET /v2/other/manifests/1",
      "PUT /v2/other/manifests/1",
    ]);
  });

  test("of a new image, no manifest is looked for before it is put", async () => {
    const { registry } = await pushTo(await ScriptedRegistry.start(), { layers: [SMALL_LAYER] });
    expect(registry.seen(/^(HEAD|GET) .*manifests/)).toEqual([]);
  });
});
