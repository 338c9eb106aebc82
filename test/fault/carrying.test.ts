// What pull writes, push takes: also what imgpack does not understand.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  copy,
  digest,
  doctor,
  exists,
  manifest,
  type OnProgress,
  pull,
  push,
  rawManifest,
  serve,
  tag,
  verify,
} from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { type MemoryRegistry, sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage } from "../unit/verbs/query/listed-registry.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";

interface Part {
  readonly type: string;
  readonly text: string;
}

/** Puts a manifest of a config and one layer. */
function putArtifact(content: MemoryRegistry, name: string, config: Part, layer: Part): Buffer {
  const add = ({ type, text }: Part): object => ({
    mediaType: type,
    digest: content.addBlob(Buffer.from(text)),
    size: text.length,
  });
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: add(config), layers: [add(layer)] };
  const bytes = Buffer.from(JSON.stringify(document));
  content.addManifest(name, OCI_MANIFEST, bytes);
  return bytes;
}

/** As early helm and oras pushed. */
function putChart(content: MemoryRegistry): Buffer {
  const layer = { type: "application/vnd.cncf.helm.chart.content.v1+tar", text: "chart" };
  return putArtifact(content, "chart:1", { type: OCI_CONFIG, text: "{}" }, layer);
}

/** As cosign pushes: its config is one of an image. */
function putSignature(content: MemoryRegistry): Buffer {
  const rootfs = { type: "layers", diff_ids: [sha256(Buffer.from("signed"))] };
  const config = JSON.stringify({ architecture: "", os: "", rootfs, config: {} });
  const layer = { type: "application/vnd.dev.cosign.simplesigning.v1+json", text: "signed" };
  return putArtifact(content, "app:signature", { type: OCI_CONFIG, text: config }, layer);
}

async function pulled(registry: ScriptedRegistry, ...names: readonly string[]): Promise<string> {
  const output = join(await temporaryFolder(), "out.tar");
  const references = names.map(name => `${registry.host}/${name}`);
  await pull(references, { output, platform: "linux/amd64" });
  return output;
}

describe("an artifact whose config has the media type of an image config", () => {
  test("is pushed from the archive that pull wrote", async () => {
    const registry = await ScriptedRegistry.start();
    const chart = putChart(registry.content);
    const output = await pulled(registry, "chart:1");
    await push([output], { registry: registry.host, to: `${registry.host}/m` });
    expect(registry.content.manifests.get("m/chart:1")?.bytes.equals(chart)).toBe(true);
  });

  test("does not stop the image next to it, and is not in manifest.json, which loaders follow", async () => {
    const registry = await ScriptedRegistry.start();
    putChart(registry.content);
    putSignature(registry.content);
    putImage(registry.content, ["app:1"]);
    const output = await pulled(registry, "app:1", "app:signature", "chart:1");
    const archive = (await readFile(output)).toString("latin1");
    const [, listed] = /"RepoTags":(\[[^\]]*\])/.exec(archive) ?? [];
    expect(listed).toBe(JSON.stringify([`${registry.host}/app:1`]));
    expect(archive.match(/"RepoTags"/g)).toHaveLength(1);
    const image = `${registry.host}/app:1`;
    const { images } = await push([output], { registry: registry.host, to: `${registry.host}/m`, image });
    expect(images.map(({ reference }) => reference)).toEqual([`${registry.host}/m/app:1`]);
  });

  test("is shown by manifest", async () => {
    const registry = await ScriptedRegistry.start();
    putChart(registry.content);
    const { platforms } = await manifest(`${registry.host}/chart:1`);
    expect(platforms).toHaveLength(1);
    expect(platforms[0]?.platform).toBeUndefined();
  });
});

/** As `docker manifest` before 18.09 wrote: the second of two images has the wrong size. */
function putWrongIndex(content: MemoryRegistry): { readonly index: Buffer; readonly child: string } {
  const [one, two] = ["amd64", "arm64"].map(architecture => {
    return { architecture, ...putImage(content, [], { architecture }) };
  });
  const manifests = [one, two].flatMap(image =>
    image === undefined
      ? []
      : {
          mediaType: OCI_MANIFEST,
          digest: image.digest,
          size: image.bytes.length + (image === two ? 57 : 0),
          platform: { os: "linux", architecture: image.architecture },
        },
  );
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  content.addManifest("dns:1", OCI_INDEX, index);
  return { index, child: two?.digest ?? "" };
}

describe("an index that states a wrong size for a manifest", () => {
  const said = (child: string): unknown => expect.stringContaining(`wrong size for ${child}`);

  test("is copied, pulled, pushed and verified, with a note on who refuses it", async () => {
    const registry = await ScriptedRegistry.start();
    const { index, child } = putWrongIndex(registry.content);
    const notes: string[] = [];
    const onProgress: OnProgress = event => void (event.kind === "note" && notes.push(event.message));
    const reference = `${registry.host}/dns:1`;
    await copy(reference, `${registry.host}/copy:1`, { onProgress });
    expect(registry.content.manifests.get("copy:1")?.bytes.equals(index)).toBe(true);
    expect(notes.splice(0)).toContainEqual(said(child));
    const output = join(await temporaryFolder(), "out.tar");
    await pull([reference], { output, platform: "all", onProgress });
    expect(notes.splice(0)).toContainEqual(said(child));
    expect((await verify(output, { onProgress })).faults).toEqual([]);
    expect(notes.splice(0)).toContainEqual(said(child));
    expect((await doctor(output)).notes).toContainEqual(said(child));
    await push([output], { to: `${registry.host}/m`, compression: "keep", onProgress });
    expect(registry.content.manifests.get("m/dns:1")?.bytes.equals(index)).toBe(true);
    expect(notes).toContainEqual(said(child));
  });

  test("gets the right size where a new index is written without the absent platform", async () => {
    const registry = await ScriptedRegistry.start();
    const { child } = putWrongIndex(registry.content);
    const output = join(await temporaryFolder(), "out.tar");
    await pull([`${registry.host}/dns:1`], { output, platform: "linux/arm64" });
    await push([output], { to: `${registry.host}/m`, compression: "keep" });
    const { manifests } = JSON.parse(String(registry.content.manifests.get("m/dns:1")?.bytes));
    expect(manifests).toMatchObject([{ digest: child, size: registry.content.manifests.get(child)?.bytes.length }]);
  });

  test("is refused when the registry has other bytes than its digest says", async () => {
    const registry = await ScriptedRegistry.start();
    const { child } = putWrongIndex(registry.content);
    const altered = Buffer.from(String(registry.content.manifests.get(child)?.bytes).replace("sha256", "sha257"));
    registry.content.manifests.set(child, { type: OCI_MANIFEST, bytes: altered });
    await expect(copy(`${registry.host}/dns:1`, `${registry.host}/copy:1`)).rejects.toMatchObject({ exitCode: 6 });
  });
});

const ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json";
const THING = "application/vnd.example.thing.v1+json";

function put(content: MemoryRegistry, name: string, type: string, document: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(document));
  content.addManifest(name, type, bytes);
  return bytes;
}

/** As oras 0.15 and the release candidates of image-spec 1.1 wrote. */
function putArtifactManifest(content: MemoryRegistry): { readonly bytes: Buffer; readonly blob: string } {
  const blob = content.addBlob(Buffer.from("an sbom"));
  const blobs = [{ mediaType: "application/spdx+json", digest: blob, size: 7 }];
  const document = { mediaType: ARTIFACT, artifactType: "application/spdx+json", blobs };
  return { bytes: put(content, "art:1", ARTIFACT, document), blob };
}

describe("a manifest of a type that imgpack has no model of", () => {
  const unknown = { schemaVersion: 2, mediaType: THING, of: "its own" };
  const broken = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { mediaType: OCI_CONFIG }, layers: [] };

  test.each<[string, string, object]>([
    ["an artifact manifest", ARTIFACT, { mediaType: ARTIFACT, artifactType: "a/b", blobs: [] }],
    ["another type", THING, unknown],
    ["a config without size and digest", OCI_MANIFEST, broken],
  ])("can be read, looked up and tagged: %s", async (_, type, document) => {
    const registry = await ScriptedRegistry.start();
    const bytes = put(registry.content, "art:1", type, document);
    const reference = `${registry.host}/art:1`;
    const raw = await rawManifest(reference);
    expect({ mediaType: raw.mediaType, text: Buffer.from(raw.bytes).toString() }).toEqual({
      mediaType: type,
      text: bytes.toString(),
    });
    expect(await exists(reference)).toBe(true);
    registry.addFault({ on: /^HEAD/, times: 1, reply: { status: 405 } });
    expect((await digest(reference)).digest).toBe(sha256(bytes));
    await tag(reference, ["2"]);
    expect(registry.content.manifests.get("art:2")).toEqual({ type, bytes });
    const accepted = registry.seen(/^(?:GET|HEAD)/).map(({ headers }) => headers.accept);
    expect(accepted.every(accept => accept?.endsWith(", */*"))).toBe(true);
  });

  test("is copied, pulled and pushed with the blobs that an artifact manifest names", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const { bytes, blob } = putArtifactManifest(from.content);
    await copy(`${from.host}/art:1`, `${to.host}/copy:1`);
    expect(to.content.manifests.get("copy:1")).toEqual({ type: ARTIFACT, bytes });
    expect(to.content.blobs.get(blob)?.toString()).toBe("an sbom");
    to.content.blobs.clear();
    const output = await pulled(from, "art:1");
    expect((await verify(output)).faults).toEqual([]);
    const { images, loaders } = await doctor(output);
    expect(images).toMatchObject([{ isWhole: true, platforms: [{ layers: [{ digest: blob }] }] }]);
    expect(loaders.filter(({ loads }) => loads)).toEqual([]);
    await push([output], { to: `${to.host}/m` });
    expect(to.content.manifests.get("m/art:1")).toEqual({ type: ARTIFACT, bytes });
    expect(to.content.blobs.get(blob)?.toString()).toBe("an sbom");
  });

  test("is copied, pulled and pushed as bytes, and a note says that nothing comes with it", async () => {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const bytes = put(from.content, "art:1", THING, unknown);
    const notes: string[] = [];
    const onProgress: OnProgress = event => void (event.kind === "note" && notes.push(event.message));
    await copy(`${from.host}/art:1`, `${to.host}/copy:1`, { onProgress });
    expect(to.content.manifests.get("copy:1")).toEqual({ type: THING, bytes });
    expect(notes).toEqual([expect.stringContaining("nothing is copied with it")]);
    await push([await pulled(from, "art:1")], { to: `${to.host}/m` });
    expect(to.content.manifests.get("m/art:1")).toEqual({ type: THING, bytes });
    to.addFault({ on: /^PUT .*manifests/, times: 9, reply: { status: 400 } });
    await expect(copy(`${from.host}/art:1`, `${to.host}/copy:2`)).rejects.toMatchObject({ exitCode: 8 });
  });

  test("is taken by serve with its blobs, and refused without them", async () => {
    const from = await ScriptedRegistry.start();
    const { bytes } = putArtifactManifest(from.content);
    await using server = await serve({ store: await temporaryFolder() });
    await copy(`${from.host}/art:1`, `${new URL(server.url).host}/art:1`);
    const read = await rawManifest(`${new URL(server.url).host}/art:1`);
    expect(Buffer.from(read.bytes).equals(bytes)).toBe(true);
    const url = `${server.url}/v2/other/manifests/1`;
    const answer = await fetch(url, { method: "PUT", headers: { "content-type": ARTIFACT }, body: bytes });
    expect(answer.status).toBe(400);
  });

  test.each<[string, string, string]>([
    ["an image and an index in one", OCI_MANIFEST, JSON.stringify({ ...broken, manifests: [] })],
    ["a known type with another label", OCI_INDEX, JSON.stringify(broken)],
    ["a field that Go reads as another one", OCI_MANIFEST, JSON.stringify({ ...broken, Config: {} })],
    ["a key of an unknown type twice", THING, `{"mediaType":"${THING}","a":1,"a":2}`],
  ])(
    "is neither read nor tagged as raw bytes if two readers may understand it differently: %s",
    async (_, type, text) => {
      const registry = await ScriptedRegistry.start();
      const bytes = Buffer.from(text);
      registry.content.manifests.set("art:1", { type, bytes });
      registry.content.manifests.set(`art@${sha256(bytes)}`, { type, bytes });
      await expect(rawManifest(`${registry.host}/art:1`)).rejects.toMatchObject({ exitCode: 8 });
      await expect(tag(`${registry.host}/art:1`, ["2"])).rejects.toMatchObject({ exitCode: 8 });
    },
  );

  test.each<[string, string, object]>([
    ["a document that names another type", THING, { mediaType: ARTIFACT }],
    ["a type that is none", "text/html", unknown],
    ["JSON of no type", "application/json", { login: "first" }],
    ["a type of its own with the fields of an image", THING, { ...broken, mediaType: THING }],
  ])("is not copied if its meaning is in doubt: %s", async (_, type, document) => {
    const registry = await ScriptedRegistry.start();
    put(registry.content, "art:1", type, document);
    await expect(copy(`${registry.host}/art:1`, `${registry.host}/copy:1`)).rejects.toMatchObject({ exitCode: 8 });
  });
});
