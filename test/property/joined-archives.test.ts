import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { convert, NotFoundError, pull } from "../../src/index.ts";
import { type Bundle, deltaOf, type Places, patchOf, readBundle, volumesOf } from "../support/bundle-files.ts";
import { configOf, seededBytes, temporaryFolder } from "../support/images.ts";
import type { MemoryRegistry } from "../support/memory-registry.ts";
import { putIndex, putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const RUNS = { numRuns: 6 };

interface ImageModel {
  /** Seeds of layers; the same seed is the same layer. */
  readonly layers: readonly number[];
  readonly isIndex: boolean;
  readonly isSigned: boolean;
}

const images: fc.Arbitrary<readonly ImageModel[]> = fc.array(
  fc.record({
    layers: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
    isIndex: fc.boolean(),
    isSigned: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Layer 0 is empty, the others have up to some blocks. */
function layerOf(seed: number): Buffer {
  return seededBytes(`layer ${seed}`, seed * 700);
}

function store(content: MemoryRegistry, model: ImageModel, name: string): void {
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const entry = (
    architecture: string,
  ): { readonly digest: string; readonly size: number; readonly platform: object } => {
    const layers = [...new Set(model.layers)].map(layerOf);
    const config = Buffer.from(
      configOf(layers).replace('"amd64"', `"${architecture}"`).replace("{}", `{"User":"${name}"}`),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: describe("application/vnd.oci.image.config.v1+json", config),
        layers: layers.map(bytes => describe("application/vnd.oci.image.layer.v1.tar+gzip", bytes)),
      }),
    );
    const digest = content.addManifest(name, MANIFEST, manifest);
    return { digest, size: manifest.length, platform: { os: "linux", architecture } };
  };
  const children = (model.isIndex ? ["amd64", "arm64"] : ["amd64"]).map(one => ({
    mediaType: MANIFEST,
    ...entry(one),
  }));
  const digest = model.isIndex ? putIndex(content, name, children) : (children[0]?.digest ?? "");
  if (model.isSigned) putReferrer(content, name, { subject: digest, artifactType: "application/x.test" });
}

/** An archive of images that are in a registry of their own. */
async function pulled(models: readonly ImageModel[], output: string): Promise<void> {
  const registry = await ScriptedRegistry.start();
  registry.content.hasReferrers = true;
  for (const [index, model] of models.entries()) store(registry.content, model, `team/app${index}:1`);
  const names = models.map((_, index) => `${registry.host}/team/app${index}:1`);
  await pull(names, { output, platform: "linux/amd64" });
}

/** Any split of a bundle: blobs in any volume, whole or in parts. */
function places({ lock }: Bundle, of: number): fc.Arbitrary<Places> {
  const volume = fc.integer({ min: 1, max: of });
  const place = (size: number): fc.Arbitrary<number | readonly (readonly [number, number?])[]> =>
    size < 2
      ? volume
      : fc.oneof(
          volume,
          fc
            .tuple(volume, volume, fc.integer({ min: 1, max: size - 1 }))
            .map(([one, two, bytes]) => [[one, bytes] as const, [two] as const]),
        );
  return fc
    .tuple(...lock.blobs.map(({ size }) => place(size)))
    .map(found => new Map(lock.blobs.map(({ digest }, index) => [digest, found[index] ?? 1] as const)));
}

async function write(
  folder: string,
  names: readonly string[],
  files: readonly Uint8Array[],
): Promise<readonly string[]> {
  const paths = files.map((_, index) => join(folder, names[index] ?? ""));
  for (const [index, path] of paths.entries()) await writeFile(path, files[index] ?? "");
  return paths;
}

const NAMES = ["a.tar", "b", "c.v01.tar", "d.tar"];

test("volumes of any split, in any order and under any names, are converted to what a pull writes", async () => {
  const folder = await temporaryFolder();
  const full = join(folder, "full.tar");
  await fc.assert(
    fc.asyncProperty(images, fc.integer({ min: 1, max: 4 }), fc.gen(), async (models, of, gen) => {
      await pulled(models, full);
      const bundle = await readBundle(full);
      const files = await write(folder, NAMES, volumesOf(bundle, of, gen(places, bundle, of)));
      const given = gen(() => fc.shuffledSubarray([...files], { minLength: of }));
      await convert(given, { output: join(folder, "out.tar") });
      expect((await readFile(join(folder, "out.tar"))).equals(await readFile(full))).toBe(true);
    }),
    RUNS,
  );
});

test("without some of the volumes nothing is written, and with a patch of what they have the result is the same", async () => {
  const folder = await temporaryFolder();
  const full = join(folder, "full.tar");
  await fc.assert(
    fc.asyncProperty(images, fc.gen(), async (models, gen) => {
      await pulled(models, full);
      const bundle = await readBundle(full);
      const where = gen(places, bundle, 3);
      const files = await write(folder, NAMES, volumesOf(bundle, 3, where));
      const given = gen(() => fc.shuffledSubarray([...files], { minLength: 1, maxLength: 2 }));
      const lost = [1, 2, 3].filter(number => !given.includes(files[number - 1] ?? ""));
      const gone = [...bundle.blobs].filter(([digest]) => {
        const place = where.get(digest) ?? 1;
        return typeof place === "number" ? lost.includes(place) : place.some(([volume]) => lost.includes(volume));
      });
      const before = await readdir(folder);
      const output = join(folder, "out.tar");
      const converted = await convert(given, { output }).catch((error: unknown) => error);
      if (gone.length > 0) {
        expect(converted).toBeInstanceOf(NotFoundError);
        const { message } = converted as Error;
        expect(message).toMatch(
          new RegExp(`bundle ${bundle.lock.id.slice(7, 19)}: volumes? [123]( and [123])? of 3 (is|are) m`),
        );
        expect(lost.some(number => message.includes(` ${number} `))).toBe(true);
        expect(await readdir(folder)).toEqual(before);
      }
      const [patch = ""] = await write(folder, ["patch.tar"], [patchOf(bundle.lock.id, gone)]);
      await convert([...given, patch], { output });
      expect((await readFile(output)).equals(await readFile(full))).toBe(true);
    }),
    RUNS,
  );
});

test("a delta with its base, in any order, is converted to what a pull of all of it writes", async () => {
  const folder = await temporaryFolder();
  const [full, old] = [join(folder, "full.tar"), join(folder, "old.tar")];
  await fc.assert(
    fc.asyncProperty(images, fc.nat(3), fc.boolean(), async (models, count, isBaseFirst) => {
      const registry = await ScriptedRegistry.start();
      for (const [index, model] of models.entries()) store(registry.content, model, `team/app${index}:1`);
      const names = models.map((_, index) => `${registry.host}/team/app${index}:1`);
      await pull(names, { output: full });
      await pull(names.slice(0, Math.max(1, count % models.length)), { output: old });
      const [bundle, base] = [await readBundle(full), await readBundle(old)];
      const layers = bundle.lock.blobs.filter(({ kind, digest }) => kind === "layer" && base.blobs.has(digest));
      const assumed = new Set(layers.map(({ digest }) => digest));
      const [delta = ""] = await write(folder, ["delta.tar"], [deltaOf(bundle, assumed, [base.lock.id])]);
      const output = join(folder, "out.tar");
      const alone = await convert(delta, { output }).catch((error: unknown) => error);
      if (assumed.size > 0) {
        expect(alone).toBeInstanceOf(NotFoundError);
        expect((alone as Error).message).toContain(`its base, bundle ${base.lock.id.slice(7, 19)}`);
        expect(await readdir(folder)).not.toContain("out.tar.partial");
      }
      await convert(isBaseFirst ? [old, delta] : [delta, old], { output });
      expect((await readFile(output)).equals(await readFile(full))).toBe(true);
    }),
    RUNS,
  );
});

test("pieces of a patch replace damaged bytes wherever they are, also in a part of a split blob", async () => {
  const folder = await temporaryFolder();
  const full = join(folder, "full.tar");
  const model = { layers: [5], isIndex: false, isSigned: false };
  await pulled([model], full);
  const bundle = await readBundle(full);
  const [digest, layer] = [...bundle.blobs].find(([, { length }]) => length === 3500) ?? [];
  if (digest === undefined || layer === undefined) throw new Error("no layer");
  await fc.assert(
    fc.asyncProperty(fc.nat(3499), fc.integer({ min: 1, max: 400 }), fc.gen(), async (from, length, gen) => {
      const damaged = { ...bundle, blobs: new Map(bundle.blobs).set(digest, Buffer.from(layer)) };
      damaged.blobs.get(digest)?.fill(0xff, from, Math.min(3500, from + length));
      const files = await write(folder, NAMES, volumesOf(damaged, 2, gen(places, bundle, 2)));
      const output = join(folder, "out.tar");
      await expect(convert(files, { output })).rejects.toMatchObject({ exitCode: 6 });
      const cuts = [Math.max(0, from - 100), from + Math.ceil(length / 2), Math.min(3500, from + length + 50)];
      const pieces = [0, 1].map(index => {
        const [start = 0, end = 0] = [cuts[index], cuts[index + 1]].map(cut => Math.min(cut ?? 0, 3500));
        return [digest, start, layer.subarray(start, end)] as const;
      });
      const [patch = ""] = await write(folder, ["patch.tar"], [patchOf(bundle.lock.id, [], pieces)]);
      await convert([patch, ...files], { output });
      expect((await readFile(output)).equals(await readFile(full))).toBe(true);
    }),
    RUNS,
  );
});
