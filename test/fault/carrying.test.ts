// What pull writes, push takes: also what imgpack does not understand.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copy, doctor, manifest, type OnProgress, pull, push, verify } from "../../src/index.ts";
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
