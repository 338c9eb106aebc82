// Names in archives that are no names, or name a digest.
import { expect, test } from "vitest";
import { PartialError, push, UsageError } from "../../src/index.ts";
import { configOf, dockerArchive, fileWith, seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const OCI = "application/vnd.oci.image";
const LAYER = seededBytes("names", 600);

/** An OCI layout of one image with this name in the annotation of containerd. */
function layoutNamed(nameOf: (digest: string) => string): { readonly bytes: Uint8Array; readonly digest: string } {
  const config = Buffer.from(configOf([LAYER]));
  const describe = (type: string, body: Uint8Array, more: object = {}): object => ({
    mediaType: `${OCI}.${type}`,
    digest: sha256(body),
    size: body.length,
    ...more,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: describe("config.v1+json", config),
      layers: [describe("layer.v1.tar", LAYER)],
    }),
  );
  const digest = sha256(manifest);
  const annotations = { "io.containerd.image.name": nameOf(digest) };
  const index = { schemaVersion: 2, manifests: [describe("manifest.v1+json", manifest, { annotations })] };
  const blob = (body: Uint8Array): Uint8Array =>
    tarEntry({ name: `blobs/sha256/${sha256(body).slice("sha256:".length)}`, body });
  const metadata = [
    { name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", body: JSON.stringify(index) },
  ].map(tarEntry);
  return { bytes: tarArchive([...metadata, ...[manifest, config, LAYER].map(blob)]), digest };
}

test("an archive that names its image by digest only moves no tag", async () => {
  const registry = await ScriptedRegistry.start();
  const path = await fileWith(dockerArchive({ tags: [`foo/bar@sha256:${"1".repeat(64)}`], layers: [LAYER] }));
  const refused = push([path], { to: `${registry.host}/m` });
  await expect(refused).rejects.toBeInstanceOf(UsageError);
  await expect(refused).rejects.toMatchObject({
    message: expect.stringContaining("names it only docker.io/foo/bar@sha256:1111"),
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  });
  expect([...registry.content.manifests.keys()]).toEqual([]);
});

test("an image that its archive names by its own digest is pushed under it, without a tag", async () => {
  const registry = await ScriptedRegistry.start();
  const { bytes, digest } = layoutNamed(own => `foo/bar@${own}`);
  const { images } = await push([await fileWith(bytes)], { to: `${registry.host}/m` });
  expect(images).toEqual([{ reference: `${registry.host}/m/foo/bar`, digest }]);
  expect([...registry.content.manifests.keys()]).toEqual([expect.stringContaining(digest)]);
});

test("a name that no registry takes does not block the other images", async () => {
  const registry = await ScriptedRegistry.start();
  const other = configOf([LAYER]).replace("amd64", "arm64");
  const entries = [
    { Config: "config.json", RepoTags: ["<none>:<none>"], Layers: ["0/layer.tar"] },
    { Config: "other.json", RepoTags: ["ok:1", "Foo/Bar:1+2"], Layers: ["0/layer.tar"] },
  ];
  const extra = [tarEntry({ name: "other.json", body: other })];
  const path = await fileWith(dockerArchive({ layers: [LAYER], extra, manifest: JSON.stringify(entries) }));
  const notes: string[] = [];
  const pushed = push([path], {
    registry: registry.host,
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
  });
  await expect(pushed).rejects.toBeInstanceOf(PartialError);
  await expect(pushed).rejects.toMatchObject({
    failures: [{ message: expect.stringContaining('its name "<none>:<none>" is none that a registry takes') }],
  });
  expect([...registry.content.manifests.keys()]).toContain("ok:1");
  expect(notes).toEqual([expect.stringContaining('Ignoring "Foo/Bar:1+2" in archive')]);

  const { images } = await push([path], { image: ["<none>:<none>"], tag: [`${registry.host}/named:1`] });
  expect(images).toMatchObject([{ reference: `${registry.host}/named:1` }]);
});

test("push refuses one tag for several archives, where the last image would take it from the others", async () => {
  const registry = await ScriptedRegistry.start();
  const archives = [
    await fileWith(dockerArchive({ tags: ["a:1"], layers: [LAYER] })),
    await fileWith(dockerArchive({ tags: ["b:1"], layers: [LAYER] })),
  ];
  const pushed = push(archives, { tag: [`${registry.host}/c:1`] });
  await expect(pushed).rejects.toThrow(UsageError);
  await expect(pushed).rejects.toThrow("Cannot push 2 archives under one tag");
  expect(registry.requests).toHaveLength(0);
});
