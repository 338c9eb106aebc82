// Volumes, deltas and patches as one source: what push, inspect, lock and pull --base make of them, and what they refuse.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, expect, test } from "vitest";
import {
  compareWithBase,
  convert,
  ImgpackError,
  inspect,
  listArchive,
  listReferences,
  lock,
  pull,
  push,
} from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { type Bundle, deltaOf, type Places, patchOf, readBundle, volumesOf } from "../support/bundle-files.ts";
import { dockerArchive, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { SHARED, type StoredIndex, storeIndex } from "./lock-support.ts";
import { pullVolumes, storedImages, sumsOf, VOLUME_BYTES } from "./volumes-support.ts";

interface Scene {
  readonly folder: string;
  /** Archive with team/one:1 and team/two:1. */
  readonly old: string;
  /** Archive with the next team/one:1. */
  readonly next: string;
  readonly bundle: Bundle;
  readonly next1: StoredIndex;
  readonly host: string;
  readonly id: string;
  readonly oldId: string;
}

let scene: Scene;
let made: Promise<Scene> | undefined;

const shortId = (id: string): string => id.slice("sha256:".length, "sha256:".length + 12);

// A registry belongs to a test: the first one makes the scene.
beforeEach(async () => {
  made ??= makeScene();
  scene = await made;
});

afterAll(async () => await rm(scene.folder, { recursive: true, force: true }));

async function makeScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-sets-"));
  const source = await ScriptedRegistry.start();
  const [old, next] = [join(folder, "old.tar"), join(folder, "next.tar")];
  const names = [`${source.host}/team/one:1`, `${source.host}/team/two:1`];
  const options = { platform: "linux/amd64" };
  storeIndex(source.content, "team/one:1");
  storeIndex(source.content, "team/two:1");
  await pull(names, { ...options, output: old });
  const next1 = storeIndex(source.content, "team/one:1", { seed: "second" });
  await pull([names[0] ?? ""], { ...options, output: next });
  const bundle = await readBundle(old);
  const { lock: nextLock } = await readBundle(next);
  return { folder, old, next, bundle, next1, host: source.host, id: nextLock.id, oldId: bundle.lock.id };
}

/** The first image in volume 1, all else in volume 2; the shared layer in parts of both. */
function twoPlaces({ lock: { images, blobs } }: Bundle): Places {
  const [first] = images;
  const own = new Set<Digest>(first?.manifests);
  const places = new Map<Digest, number | readonly (readonly [number, number?])[]>(
    blobs.map(({ digest, kind }) => [digest, own.has(digest) || kind === "config" ? 1 : 2]),
  );
  return places.set(sha256(SHARED), [[2, 1000], [1]]);
}

async function volumes(bundle = scene.bundle, places = twoPlaces(bundle), of = 2): Promise<readonly [string, string]> {
  const folder = await temporaryFolder();
  const paths = [join(folder, "any-name"), join(folder, "b.v09.tar")] as const;
  const files = volumesOf(bundle, of, places);
  for (const [index, path] of paths.entries()) await writeFile(path, files[index] ?? "");
  return paths;
}

async function delta(): Promise<string> {
  const path = join(await temporaryFolder(), "delta.tar");
  await writeFile(path, deltaOf(await readBundle(scene.next), new Set([sha256(SHARED)]), [scene.bundle.lock.id]));
  return path;
}

async function failure(work: Promise<unknown>): Promise<ImgpackError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ImgpackError) return error;
  throw error ?? new Error("It did not fail.");
}

test("push of volumes in any order, from several folders, is the push of the whole; the volumes stay as they are", async () => {
  const [first, second] = await volumes();
  const elsewhere = join(await temporaryFolder(), "copy of it");
  await writeFile(elsewhere, await readFile(first));
  const before = [await readFile(first), await readFile(second)];
  const registry = await ScriptedRegistry.start();
  const { images } = await push([second, elsewhere], { registry: registry.host, sparse: "keep" });
  expect(images.map(({ reference }) => reference)).toEqual([
    `${registry.host}/team/one:1`,
    `${registry.host}/team/two:1`,
  ]);
  for (const { digest } of scene.bundle.lock.blobs)
    expect(registry.content.blobs.has(digest) || registry.content.manifests.has(digest)).toBe(true);
  expect([await readFile(first), await readFile(second)]).toEqual(before);
});

test("push of an image in volumes under a new name takes one tag, as they are one source", async () => {
  const files = await volumes();
  const registry = await ScriptedRegistry.start();
  const tag = `${registry.host}/other:9`;
  await push(files, { tag, image: `${scene.host}/team/one:1`, sparse: "keep" });
  expect(registry.content.manifests.has("other:9")).toBe(true);
  const both = await failure(push([...files, scene.next], { tag }));
  expect(both.message).toMatch(/^Cannot push 2 archives under one tag: /);
});

test("push of a delta with its base sends both, and of a name that both have, what the delta says", async () => {
  const registry = await ScriptedRegistry.start();
  const { images } = await push([await delta(), scene.old], { registry: registry.host, sparse: "keep" });
  expect(images.map(({ reference, digest }) => [reference, digest])).toEqual([
    [`${registry.host}/team/one:1`, scene.next1.digest],
    [`${registry.host}/team/two:1`, expect.any(String)],
  ]);
});

test.each(["push", "push --shard", "convert"] as const)(
  "%s without a volume names it by bundle and number, exit 5",
  async verb => {
    const [first, second] = await volumes();
    const [other] = await volumes(await readBundle(scene.next), new Map());
    const notes: string[] = [];
    const onProgress = (event: { readonly kind: string; readonly message?: string }): void =>
      void (event.kind === "note" && notes.push(event.message ?? ""));
    const registry = await ScriptedRegistry.start();
    const output = join(await temporaryFolder(), "out.tar");
    const error = await failure(
      verb === "convert"
        ? convert([first, first], { output, onProgress })
        : push([first], {
            registry: registry.host,
            shard: verb === "push" ? undefined : "0/2",
            sparse: "keep",
            onProgress,
          }),
    );
    expect(error).toMatchObject({ exitCode: 5 });
    // The volume says all: it may have thousands of blobs.
    expect(error.message).toMatch(
      new RegExp(
        `bundle ${shortId(scene.oldId)}: volume 2 of 2 is missing, with \\d+ blobs(, which \\S+ does not have)?, expected all volumes$`,
      ),
    );
    await failure(convert([second, other], { output, onProgress }));
    expect(notes).toContainEqual(
      expect.stringMatching(
        new RegExp(`^Archive ".*any-name" is volume 1 of 2 of another bundle, ${shortId(scene.id)}$`),
      ),
    );
    if (verb === "convert")
      expect(notes).toContain(`Volume 1 of bundle ${shortId(scene.oldId)} is there again as archive "${first}"`);
  },
);

test("a volume of the same bundle that was split in another way is named, and its whole blobs are used nevertheless", async () => {
  const [, second] = await volumes();
  const [stale] = await volumes(scene.bundle, new Map(), 1);
  const notes: string[] = [];
  const output = join(await temporaryFolder(), "out.tar");
  await convert([second, stale], {
    output,
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
  });
  expect(notes.join()).toMatch(
    /^Archive ".*" is volume \d of \d of bundle [0-9a-f]{12} as it was split in another way/,
  );
  expect((await readFile(output)).equals(await readFile(scene.old))).toBe(true);
});

test("a volume whose index.json names an image that its lock has not is refused: exit 3", async () => {
  const { roots } = await readBundle(scene.next);
  const [first] = await volumes({ ...scene.bundle, roots: [...scene.bundle.roots, ...roots] });
  const error = await failure(inspect([first]));
  expect(error).toMatchObject({ exitCode: 3, reason: "lock-differs" });
});

test("inspect shows what a set of volumes has, and which images are in a missing one", async () => {
  const [first, second] = await volumes();
  const whole = await inspect([second, first]);
  expect(whole).toMatchObject({
    files: [second, first],
    volumes: { bundle: scene.oldId, of: 2, missing: [], hidden: [] },
  });
  expect(whole.images).toHaveLength(2);
  const part = await inspect(first);
  expect(part).toMatchObject({ volumes: { missing: [2], hidden: [`${scene.host}/team/two:1`] } });
  expect(part.images.map(({ names }) => names)).toEqual([[`${scene.host}/team/one:1`]]);
});

test("one volume is enough to list, lock and compare what the whole set has", async () => {
  const [first, second] = await volumes();
  expect(await listArchive(second)).toMatchObject({ id: scene.oldId, blobs: scene.bundle.lock.blobs.length });
  const { references } = await listReferences([second]);
  expect(references.map(({ reference }) => reference)).toEqual([
    `${scene.host}/team/one:1`,
    `${scene.host}/team/two:1`,
  ]);
  expect(await lock([second, first])).toMatchObject({ id: scene.oldId });
  const { base, bytes } = await compareWithBase(scene.old, { base: [second, first] });
  expect(base).toMatchObject([{ source: second, id: scene.oldId }]);
  expect(bytes.new).toBe(0);
});

test("volumes that pull writes are joined to the archive that pull writes, which is split into the same volumes again", async () => {
  const stored = await storedImages();
  const [split, again, whole] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  await pullVolumes(stored, split);
  await pullVolumes(stored, whole, { volumeSize: undefined });
  const files = (await readdir(split)).filter(name => name.endsWith(".tar")).map(name => join(split, name));
  const joined = join(whole, "joined.tar");
  await convert(files.toReversed(), { output: joined });
  expect((await readFile(joined)).equals(await readFile(join(whole, "site.tar")))).toBe(true);
  await convert(joined, { output: join(again, "site.tar"), volumeSize: VOLUME_BYTES });
  expect(sumsOf(again)).toEqual(sumsOf(split));
  const registry = await ScriptedRegistry.start();
  const { images } = await push(files, { registry: registry.host });
  expect(images.map(({ digest }) => digest)).toEqual(stored.images.map(({ digest }) => digest));
});

test("volumes with other layers than the registry has are joined to the same archive, which still says what they were", async () => {
  const folder = await temporaryFolder();
  const path = (name: string): string => join(folder, name);
  await writeFile(path("docker.tar"), dockerArchive({ tags: ["app:1"], layers: [Buffer.alloc(5000, "layer")] }));
  await convert(path("docker.tar"), { output: path("packed.tar"), layers: "gzip" });
  await convert(path("packed.tar"), { output: path("raw.tar"), layers: "raw" });
  await convert(path("packed.tar"), { output: path("split.tar"), layers: "raw", volumeSize: 12_000 });
  const files = (await readdir(folder)).filter(name => /^split.*tar$/.test(name)).map(path);
  expect(files.length).toBeGreaterThan(1);
  await convert(files, { output: path("joined.tar") });
  expect((await readFile(path("joined.tar"))).equals(await readFile(path("raw.tar")))).toBe(true);
  const { lock: joined } = await readBundle(path("joined.tar"));
  expect(joined).toMatchObject({ layers: "raw", images: [{ written: expect.any(String) }] });
});

test("pieces of a patch that overlap, or end after their blob, are refused: exit 3", async () => {
  const patch = join(await temporaryFolder(), "patch.tar");
  const output = join(await temporaryFolder(), "out.tar");
  const piece = (from: number, bytes: number) => [sha256(SHARED), from, Buffer.alloc(bytes)] as const;
  for (const [pieces, found] of [
    [[piece(0, 20), piece(10, 20)], "byte 10 in two pieces"],
    [[piece(2990, 20)], "bytes 2990 to 3009 of a blob of 3000 bytes"],
  ] as const) {
    await writeFile(patch, patchOf(scene.bundle.lock.id, [], pieces));
    const error = await failure(convert([patch, scene.old], { output }));
    expect(error).toMatchObject({ exitCode: 3, reason: "patch-differs" });
    expect(error.message).toContain(found);
  }
});

test("a patch without the bundle that it is for is refused: exit 5", async () => {
  const patch = join(await temporaryFolder(), "patch.tar");
  await writeFile(patch, patchOf(scene.bundle.lock.id, []));
  const error = await failure(push([patch, scene.next], { registry: "127.0.0.1:9" }));
  expect(error).toMatchObject({ exitCode: 5 });
  expect(error.message).toContain(
    `it is a patch for bundle ${shortId(scene.oldId)}, found bundle ${shortId(scene.id)}, expected that bundle`,
  );
});

test("a compressed archive that has to be joined with others is refused with what to do: exit 2", async () => {
  const [first, second] = await volumes();
  const packed = `${first}.gz`;
  await writeFile(packed, gzipSync(await readFile(first)));
  const output = join(await temporaryFolder(), "out.tar");
  for (const inputs of [[packed, second], [packed]]) {
    const error = await failure(convert(inputs, { output }));
    expect(error).toMatchObject({ exitCode: 2, hint: expect.stringContaining("Decompress it") });
    expect(error.message).toContain("it is read from front to back");
  }
});

test("convert merges archives that have nothing to do with each other, but not two images under one name", async () => {
  const folder = await temporaryFolder();
  const [docker, output] = [join(folder, "docker.tar"), join(folder, "out.tar")];
  await writeFile(docker, dockerArchive({ tags: ["lone:1"] }));
  await convert([scene.next, docker], { output });
  expect((await inspect(output)).images.flatMap(({ names }) => names).sort()).toEqual([
    `${scene.host}/team/one:1`,
    "docker.io/library/lone:1",
  ]);
  const error = await failure(convert([scene.next, scene.old], { output: join(folder, "both.tar") }));
  expect(error).toMatchObject({ reason: "two-images", exitCode: 3 });
  expect(error.message).toContain(`archive "${scene.next}" and archive "${scene.old}"`);
});

test("an input of several that is a folder with the output in it is refused", async () => {
  const folder = join(await temporaryFolder(), "layout");
  await mkdir(folder);
  const error = await failure(convert([scene.next, folder], { output: join(folder, "out.tar") }));
  expect(error).toMatchObject({ exitCode: 2 });
});
