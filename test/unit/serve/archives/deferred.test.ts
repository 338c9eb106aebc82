import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { ArchiveRegistry } from "../../../../src/serve/archives/archive-registry.ts";
import type { FoundDamage } from "../../../../src/serve/content/served-registry.ts";
import {
  annotated,
  blobOf,
  configOf,
  describe,
  dockerManifest,
  type Files,
  layerOf,
  layoutFiles,
  makeFolder,
  manifestOf,
  tarOf,
} from "../../archive/archive-builder.ts";

const raw = layerOf("content");
const layer = blobOf(gzipSync(raw.bytes));
const config = configOf([raw]);
const other = configOf([raw], { architecture: "arm64" });
const [first, second] = [manifestOf(config, [layer]), manifestOf(other, [layer])];
const [good, bad] = ["registry.lan/good:1.0", "registry.lan/bad:1.0"];
const layout = layoutFiles(
  [describe(first, OCI_MANIFEST, annotated(good)), describe(second, OCI_MANIFEST, annotated(bad))],
  [config, layer, first, other, second],
);
const image = (name: string, { hex }: { readonly hex: string }): object => ({
  Config: `blobs/sha256/${hex}`,
  RepoTags: [name],
  Layers: [`blobs/sha256/${layer.hex}`],
});

async function openDeferred(files: Files, damage: FoundDamage[]): Promise<ArchiveRegistry> {
  const path = join(await makeFolder(), "site.tar");
  await writeFile(path, tarOf(files));
  return await ArchiveRegistry.open([path], { onDamage: found => damage.push(found), deferAbove: 0 });
}

test("an image that manifest.json contradicts is not served where manifests are read late (M-16)", async () => {
  const damage: FoundDamage[] = [];
  const files = { ...layout, ...dockerManifest(image(good, config), image(bad, config)) };
  await using registry = await openDeferred(files, damage);
  expect(damage).toEqual([]);
  const served = await registry.repository("registry.lan/good");
  expect(served?.manifest(first.digest)).toBeDefined();
  for (let time = 0; time < 2; time += 1) {
    const refused = await registry.repository("registry.lan/bad");
    expect(refused?.manifest(second.digest)).toBeUndefined();
    expect(refused?.blob(other.digest)).toBeUndefined();
    expect(refused?.lack(second.digest)).toMatchObject({ kind: "damage" });
  }
  expect(damage).toHaveLength(1);
  expect(damage[0]).toMatchObject({ digest: second.digest });
  expect(damage[0]?.found).toMatch(
    /"registry\.lan\/bad:1\.0" is config sha256:\w+ in manifest\.json and sha256:\w+ in index\.json/,
  );
});

test("an altered manifest is found when it is first asked for, and is not served", async () => {
  const damage: FoundDamage[] = [];
  const files = { ...layout, [`blobs/sha256/${second.hex}`]: first.bytes };
  await using registry = await openDeferred(files, damage);
  expect((await registry.repository("registry.lan/good"))?.manifest(first.digest)).toBeDefined();
  expect(damage).toEqual([]);
  expect((await registry.repository("registry.lan/bad"))?.manifest(second.digest)).toBeUndefined();
  expect(damage).toMatchObject([{ digest: second.digest, found: first.digest }]);
});

test("an altered config has no whole answer where manifests are read late", async () => {
  const damage: FoundDamage[] = [];
  const altered = Buffer.from(other.bytes).fill("x", 0, 1);
  const files = {
    ...layout,
    [`blobs/sha256/${other.hex}`]: altered,
    ...dockerManifest(image(good, config), image(bad, other)),
  };
  await using registry = await openDeferred(files, damage);
  const known = (await registry.repository("registry.lan/bad"))?.blob(other.digest);
  const blob = known && (await registry.openBlob(known));
  if (blob === undefined) throw new Error("no blob");
  const chunks = blob.chunks({ start: 0, end: blob.size });
  await expect(chunks.next()).rejects.toThrow("damaged");
  await blob.close();
  expect(damage).toMatchObject([{ digest: other.digest }]);
});
