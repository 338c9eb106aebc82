// Volumes, deltas and patches that are served: what is missing is named, and all else is there.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import type { ServeEvent } from "../../src/serve/serve-event.ts";
import type { RunningRegistry } from "../../src/serve/server.ts";
import { type Bundle, deltaOf, type Places, patchOf, readBundle, volumesOf } from "../support/bundle-files.ts";
import { fileWith, seededBytes } from "../support/images.ts";
import { layoutArchive } from "../support/layout-archives.ts";
import { sha256 } from "../support/memory-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { startArchives } from "../unit/serve/archive-registry.ts";
import { send } from "../unit/serve/registry-client.ts";

const layer = (seed: string): Buffer =>
  Buffer.from(tarArchive([tarEntry({ name: seed, body: seededBytes(seed, 3000) })]));
const SHARED = layer("shared");

let folder: string;
let bundle: Bundle;
/** A later one, with the next team/one:1 and without team/two. */
let next: Bundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-served-"));
  bundle = await made("old", [
    { names: ["a.lan/team/one:1"], layers: [SHARED, layer("one")] },
    { names: ["a.lan/team/two:1"], layers: [layer("two")] },
  ]);
  next = await made("next", [{ names: ["a.lan/team/one:1"], layers: [SHARED, layer("newer")] }]);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

async function made(name: string, images: Parameters<typeof layoutArchive>[0]): Promise<Bundle> {
  const [path, output] = [join(folder, `${name}.in.tar`), join(folder, `${name}.tar`)];
  await writeFile(path, layoutArchive(images).bytes);
  await convert(path, { output });
  return await readBundle(output);
}

const path = (name: string): string => join(folder, `${name}.tar`);

/** All of team/two in volume 2, all else in volume 1; the shared layer in parts of both if it is split. */
function places({ lock }: Bundle, isSplit: boolean): Places {
  const own = new Set(lock.images.find(({ name }) => name.includes("two"))?.manifests);
  const where = new Map<Digest, number | readonly (readonly [number, number?])[]>();
  for (const { digest } of lock.blobs) where.set(digest, own.has(digest) ? 2 : 1);
  where.set(sha256(layer("two")), 2);
  if (isSplit) where.set(sha256(SHARED), [[2, 1000], [1]]);
  return where;
}

async function volumes(isSplit = false): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const bytes of volumesOf(bundle, 2, places(bundle, isSplit))) paths.push(await fileWith(bytes));
  return paths;
}

/** Status of the manifest of an image, of its config and its layers; with the detail of the first error. */
async function pulled(
  registry: RunningRegistry,
  name: string,
  reference = "1",
): Promise<readonly [readonly number[], unknown?]> {
  const manifest = await send(registry, "GET", `/v2/${name}/manifests/${reference}`);
  const statuses = [manifest.status];
  const body = JSON.parse(manifest.body.toString());
  if (manifest.status !== 200) return [statuses, body.errors[0]];
  for (const { digest } of [body.config, ...body.layers]) {
    const blob = await send(registry, "GET", `/v2/${name}/blobs/${digest}`);
    if (blob.status === 200) expect(sha256(blob.body)).toBe(digest);
    statuses.push(blob.status);
  }
  return [statuses];
}

test("volumes in any order are one source, also where a layer is in parts", async () => {
  for (const isSplit of [false, true]) {
    const [first = "", second = ""] = await volumes(isSplit);
    const events: ServeEvent[] = [];
    const registry = await startArchives([second, first], events);
    expect(await pulled(registry, "team/one")).toEqual([[200, 200, 200, 200]]);
    expect(await pulled(registry, "team/two")).toEqual([[200, 200, 200]]);
    expect(events).toEqual([]);
  }
});

test("the images of a missing volume are 404 and name it, the others are served", async () => {
  const [first = ""] = await volumes();
  const events: ServeEvent[] = [];
  const registry = await startArchives([first], events);
  expect(await pulled(registry, "team/one")).toEqual([[200, 200, 200, 200]]);
  const [statuses, error] = await pulled(registry, "team/two");
  expect(statuses).toEqual([404]);
  expect(error).toEqual({
    code: "MANIFEST_UNKNOWN",
    message: expect.stringMatching(/has no tag 1: volume 2 of 2 of bundle [0-9a-f]{12} is missing\. Start /),
    detail: { reason: "volume", volumes: [2] },
  });
  expect(events).toEqual([
    { kind: "note", message: expect.stringMatching(/^Volume 2 of 2 of bundle .* is missing: /) },
  ]);
  const { tags } = JSON.parse((await send(registry, "GET", "/v2/team/two/tags/list")).body.toString());
  expect(tags).toEqual(["1"]);
});

test("an image with a part of a layer in a missing volume is 404 and names it", async () => {
  const [first = ""] = await volumes(true);
  const registry = await startArchives([first]);
  expect(await pulled(registry, "team/one")).toMatchObject([[404], { detail: { reason: "volume", volumes: [2] } }]);
});

test("a delta with its base serves what the delta says, and the images of the base", async () => {
  const delta = await fileWith(deltaOf(next, new Set([sha256(SHARED)]), [bundle.lock.id]));
  const events: ServeEvent[] = [];
  const registry = await startArchives([delta, path("old")], events);
  expect(events).toEqual([
    {
      kind: "note",
      message: expect.stringMatching(/^"a\.lan\/team\/one:1" is as in .*: the older images of the base are left out$/),
    },
  ]);
  const manifest = await send(registry, "GET", "/v2/team/one/manifests/1");
  expect(next.lock.images.map(({ digest }) => digest)).toContain(manifest.headers["docker-content-digest"]);
  expect(await pulled(registry, "team/one")).toEqual([[200, 200, 200, 200]]);
  expect(await pulled(registry, "team/two")).toEqual([[200, 200, 200]]);
});

test("a delta without its base is 404, and says so", async () => {
  const delta = await fileWith(deltaOf(next, new Set([sha256(SHARED)]), [bundle.lock.id]));
  const events: ServeEvent[] = [];
  const registry = await startArchives([delta], events);
  expect(await pulled(registry, "team/one")).toMatchObject([
    [404],
    { message: expect.stringContaining("1 blob of it is in the base of the delta"), detail: { reason: "base" } },
  ]);
  expect(events).toEqual([{ kind: "note", message: expect.stringContaining("is a delta without its base") }]);
});

test("a delta with a base that lacks a volume is 404 and names the volume, not the base", async () => {
  const delta = await fileWith(deltaOf(next, new Set([sha256(SHARED)]), [bundle.lock.id]));
  const where = new Map([...places(bundle, false)].map(([digest, at]) => [digest, digest === sha256(SHARED) ? 2 : at]));
  const [first = new Uint8Array()] = volumesOf(bundle, 2, where);
  for (const files of [
    [delta, await fileWith(first)],
    [await fileWith(first), delta],
  ]) {
    const events: ServeEvent[] = [];
    const registry = await startArchives(files, events);
    expect(await pulled(registry, "team/one")).toMatchObject([[404], { detail: { reason: "volume", volumes: [2] } }]);
    expect(events).toEqual([
      { kind: "note", message: expect.stringMatching(/older images of the base are left out$/) },
      { kind: "note", message: expect.stringMatching(/^Volume 2 of 2 of bundle .* is missing: /) },
    ]);
    const damage = JSON.parse((await send(registry, "GET", "/damage")).body.toString());
    expect(damage.missingVolumes).toEqual([2]);
  }
});

test("a patch brings what a missing volume has", async () => {
  const [first = ""] = await volumes();
  const lost = [...bundle.blobs].filter(([digest]) => places(bundle, false).get(digest) === 2);
  const patch = await fileWith(patchOf(bundle.lock.id, lost));
  const registry = await startArchives([patch, first]);
  expect(await pulled(registry, "team/two")).toEqual([[200, 200, 200]]);
});
