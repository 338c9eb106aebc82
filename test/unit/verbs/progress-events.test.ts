import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  blob,
  config,
  convert,
  copy,
  doctor,
  importImage,
  inspect,
  lock,
  type ProgressEvent,
  pull,
  push,
  verify,
} from "../../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../../support/images.ts";
import { sha256 } from "../../support/memory-registry.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";

const LAYER = Buffer.from(tarArchive([tarEntry({ name: "hello", body: "hello\n" })]));
const ARCHIVE = dockerArchive({ tags: ["app:1"], layers: [LAYER] });
const KINDS = ["planned", "step", "image", "started", "stopped", "bytes", "skipped", "done", "reading", "note"];

type Report = (event: ProgressEvent) => void;

async function eventsOf(call: (onProgress: Report, registry: string) => Promise<unknown>): Promise<ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  const { host } = await ScriptedRegistry.start();
  await call(event => void events.push(event), host);
  return events;
}

function labels(events: readonly ProgressEvent[], ...kinds: readonly ProgressEvent["kind"][]): ReadonlySet<string> {
  return new Set(events.flatMap(event => ("blob" in event && kinds.includes(event.kind) ? [event.blob] : [])));
}

function imagesOf(events: readonly ProgressEvent[]): { planned: number; ended: readonly string[] } {
  const planned = events.reduce((sum, event) => sum + (event.kind === "planned" ? (event.images ?? 0) : 0), 0);
  const ended = events.flatMap(event => (event.kind === "image" ? [`${event.state} ${event.name}`] : []));
  return { planned, ended: ended.sort() };
}

describe("onProgress", () => {
  test.each<[string, (onProgress: Report, registry: string) => Promise<unknown>]>([
    ["push()", async (onProgress, registry) => await push([await fileWith(ARCHIVE)], { registry, onProgress })],
    [
      "push() of a compressed file",
      async (onProgress, registry) =>
        await push([await fileWith(gzipSync(ARCHIVE))], { tag: `${registry}/app:2`, onProgress }),
    ],
    [
      "push() of a pipe",
      async (onProgress, registry) =>
        await push(["-"], { stdin: Readable.from([ARCHIVE], { objectMode: false }), registry, onProgress }),
    ],
    [
      "pull() and copy()",
      async (onProgress, registry) => {
        await push([await fileWith(ARCHIVE)], { registry });
        await copy(`${registry}/app:1`, `${registry}/other:1`, { onProgress });
        const output = join(await temporaryFolder(), "out.tar");
        await pull([`${registry}/app:1`], { output, platform: "all", onProgress });
      },
    ],
    [
      "importImage() to a registry and to a file",
      async (onProgress, registry) => {
        const root = join(await temporaryFolder(), "root");
        await mkdir(root);
        await writeFile(join(root, "file"), "text");
        await importImage(root, { tag: `${registry}/base:1`, onProgress });
        await importImage(root, { tag: "base:1", output: `${root}.tar`, onProgress });
        await importImage(await fileWith(LAYER), { tag: `${registry}/base:2`, onProgress });
      },
    ],
    [
      "convert() and verify()",
      async onProgress => {
        const output = join(await temporaryFolder(), "out.tar");
        await convert(await fileWith(gzipSync(ARCHIVE)), { output, layers: "gzip", onProgress });
        await verify(await fileWith(gzipSync(ARCHIVE)), { onProgress });
      },
    ],
  ])("of %s gets public events only, and no internal name of a layer", async (_name, call) => {
    const events = await eventsOf(call);
    expect(events.length).toBeGreaterThan(0);
    expect(KINDS).toEqual(expect.arrayContaining(events.map(({ kind }) => kind)));
    expect(JSON.stringify(events)).not.toMatch(/pending:|gzip-v\d/);
  });

  test.each<[string, (path: string, onProgress: Report, registry: string) => Promise<unknown>]>([
    ["push()", async (path, onProgress, registry) => await push([path], { registry, onProgress })],
    [
      "push() with a tag",
      async (path, onProgress, registry) => await push([path], { tag: `${registry}/a:1`, onProgress }),
    ],
    ["verify()", async (path, onProgress) => await verify(path, { onProgress })],
    ["doctor()", async (path, onProgress) => await doctor(path, { quick: true, onProgress })],
    ["inspect()", async (path, onProgress) => await inspect(path, { onProgress })],
    ["convert()", async (path, onProgress) => await convert(path, { output: `${path}.tar`, onProgress })],
  ])("%s is not silent while it reads a compressed archive for the first time", async (_name, call) => {
    const bytes = gzipSync(dockerArchive({ tags: ["app:1"], layers: [seededBytes("progress", 600 * 1024)] }));
    const path = await fileWith(bytes);
    const events = await eventsOf(async (onProgress, registry) => await call(path, onProgress, registry));
    const read = events.flatMap(event => (event.kind === "reading" ? [event] : []));
    expect(read.length).toBeGreaterThan(2);
    expect(read.every(({ archive, total }) => archive === path && total === bytes.length)).toBe(true);
    expect(read.map(event => event.bytes)).toEqual(read.map(event => event.bytes).sort((a, b) => a - b));
    expect(read.filter(event => event.bytes === event.total)).toHaveLength(1);
  });

  test.each<[string, ProgressEvent["kind"], (path: string, onProgress: Report, registry: string) => Promise<unknown>]>([
    ["verify()", "done", async (path, onProgress) => await verify(path, { onProgress })],
    ["doctor()", "done", async (path, onProgress) => await doctor(path, { onProgress })],
    ["inspect()", "step", async (path, onProgress) => await inspect(path, { onProgress })],
    [
      "lock()",
      "step",
      async (path, onProgress, registry) => {
        await push([path], { registry });
        await lock([`${registry}/app:1`], { onProgress });
      },
    ],
  ])("of %s says how much is read of a plain archive or a registry, before layers move", async (_name, kind, call) => {
    const path = await fileWith(ARCHIVE);
    const events = await eventsOf(async (onProgress, registry) => await call(path, onProgress, registry));
    expect(events.map(event => event.kind)).toContain("step");
    expect(events.map(event => event.kind)).toContain(kind);
    const steps = events.flatMap(event => (event.kind === "step" ? [event] : []));
    for (const { done, total = done } of steps) expect(done).toBeLessThanOrEqual(total);
  });

  test("says where a blob comes from and goes to, and that it stopped if it fails", async () => {
    const events: ProgressEvent[] = [];
    const onProgress: Report = event => void events.push(event);
    const { host } = await ScriptedRegistry.start();
    await push([await fileWith(ARCHIVE)], { registry: host, onProgress });
    await copy(`${host}/app:1`, `${host}/other:1`, { onProgress });
    const output = join(await temporaryFolder(), "out.tar");
    await pull([`${host}/app:1`], { output, platform: "all", onProgress });
    const starts = events.flatMap(event => (event.kind === "started" ? [event] : []));
    expect(starts.some(({ from, to }) => from === undefined && to === host)).toBe(true);
    expect(starts.some(({ from, to }) => from === host && to === undefined)).toBe(true);
    for (const { blob } of starts) expect(labels(events, "done", "skipped")).toContain(blob);
    expect(events).toContainEqual({ kind: "image", name: `${host}/app:1`, state: "done" });
    expect(events.filter(({ kind }) => kind === "stopped")).toEqual([]);
  });

  test.each<[string, (onProgress: Report, registry: string) => Promise<unknown>]>([
    [
      "push() while it reads",
      async (onProgress, registry) =>
        await push([await fileWith(gzipSync(ARCHIVE))], { tag: `${registry}/app:2`, onProgress }),
    ],
    [
      "blob()",
      async (onProgress, registry) => {
        await push([await fileWith(ARCHIVE)], { registry });
        const { reference } = await config(`${registry}/app:1`);
        await blob(reference, { output: join(await temporaryFolder(), "config.json"), onProgress });
      },
    ],
    [
      "importImage()",
      async (onProgress, registry) => {
        const root = join(await temporaryFolder(), "root");
        await mkdir(root);
        await writeFile(join(root, "file"), "text");
        await importImage(root, { tag: `${registry}/base:1`, onProgress });
      },
    ],
  ])("of %s says which blobs are under way while their bytes move, and when they end", async (_name, call) => {
    const underWay = new Set<string>();
    const moved = new Set<string>();
    await eventsOf(async (onProgress, registry) => {
      await call(event => {
        onProgress(event);
        if (event.kind === "started") underWay.add(event.blob);
        if (event.kind === "bytes") {
          expect(underWay).toContain(event.blob);
          moved.add(event.blob);
        }
        if (event.kind === "done" || event.kind === "skipped" || event.kind === "stopped") underWay.delete(event.blob);
      }, registry);
    });
    expect(moved.size).toBeGreaterThan(0);
    expect([...underWay]).toEqual([]);
  });

  test("of an import says that a layer stopped if it fails", async () => {
    const root = join(await temporaryFolder(), "root");
    await mkdir(root);
    await writeFile(join(root, "file"), "text");
    const events: ProgressEvent[] = [];
    const registry = await ScriptedRegistry.start();
    registry.addFault({ on: /\/blobs\/uploads\//, times: Number.POSITIVE_INFINITY, reply: { status: 403 } });
    const tag = `${registry.host}/base:1`;
    await expect(importImage(root, { tag, onProgress: event => void events.push(event) })).rejects.toThrow();
    expect(labels(events, "started").size).toBeGreaterThan(0);
    expect(labels(events, "stopped")).toEqual(labels(events, "started"));
  });

  test("counts the images of push() and pull(), and names each when it has ended", async () => {
    const registry = await ScriptedRegistry.start();
    const { host } = registry;
    const path = await fileWith(dockerArchive({ tags: ["app:1", "app:2", "other:1"], layers: [LAYER] }));
    registry.addFault({ on: /^PUT .*other\/manifests/, reply: { status: 403 } });
    const events: ProgressEvent[] = [];
    const onProgress: Report = event => void events.push(event);
    await expect(push([path], { registry: host, onProgress })).rejects.toThrow("403");
    expect(imagesOf(events)).toEqual({
      planned: 3,
      ended: [`done ${host}/app:1`, `done ${host}/app:2`, `failed ${host}/other:1`],
    });
    events.length = 0;
    const output = join(await temporaryFolder(), "out.tar");
    const names = [`${host}/app:1`, `${host}/app:absent`];
    await expect(pull(names, { output, platform: "all", keepGoing: true, onProgress })).rejects.toThrow("absent");
    expect(imagesOf(events)).toEqual({ planned: 2, ended: [`done ${host}/app:1`, `failed ${host}/app:absent`] });
  });

  test("says each step", async () => {
    const steps = new Set<string>();
    const { host } = await ScriptedRegistry.start();
    const onProgress: Report = event => void (event.kind === "step" && steps.add(event.step));
    const folder = await temporaryFolder();
    const path = await fileWith(dockerArchive({ tags: ["app:1", "app:2"], layers: [LAYER] }));
    await push([path], { registry: host, onProgress });
    expect([...steps].sort()).toEqual(["commit", "referrers"]);
    steps.clear();
    await pull([`${host}/app:*`], { output: join(folder, "out.tar"), platform: "linux/amd64", onProgress });
    expect([...steps].sort()).toEqual(["configs", "images", "manifests", "names", "referrers"]);
    steps.clear();
    await convert(join(folder, "out.tar"), { output: join(folder, "raw.tar"), layers: "raw", onProgress });
    expect([...steps]).toContain("blobs");
  });

  test("ends the reading of an archive that turns out to be damaged", async () => {
    const bytes = gzipSync(dockerArchive({ tags: ["app:1"], layers: [seededBytes("progress", 600 * 1024)] }));
    const path = await fileWith(bytes.subarray(0, 500 * 1024));
    const events = await eventsOf(async onProgress => await expect(verify(path, { onProgress })).rejects.toThrow());
    const read = events.flatMap(event => (event.kind === "reading" ? [event] : []));
    expect(read.length).toBeGreaterThan(1);
    expect(read.at(-1)?.bytes).toBe(read.at(-1)?.total);
  });

  test("names no size of a pipe before its end", async () => {
    const bytes = Buffer.from(dockerArchive({ tags: ["app:1"], layers: [seededBytes("progress", 600 * 1024)] }));
    const stdin = Readable.from([bytes.subarray(0, 400 * 1024), bytes.subarray(400 * 1024)], { objectMode: false });
    const events = await eventsOf(async onProgress => await verify("-", { stdin, onProgress }));
    expect(events.filter(({ kind }) => kind === "reading")).toEqual([
      { kind: "reading", archive: "-", bytes: 400 * 1024 },
      { kind: "reading", archive: "-", bytes: bytes.length, total: bytes.length },
    ]);
  });

  test("names a raw layer by its diff_id from its first byte to the end, and again when it is known", async () => {
    const cacheDir = await temporaryFolder();
    const events = await eventsOf(async (onProgress, registry) => {
      await push([await fileWith(ARCHIVE)], { registry, cacheDir, onProgress });
      await push([await fileWith(ARCHIVE)], { tag: `${registry}/other:1`, cacheDir, onProgress });
    });
    const layer = `layer ${sha256(LAYER)}`;
    expect(labels(events, "bytes")).toContain(layer);
    expect(labels(events, "done")).toContain(layer);
    expect(events).toContainEqual(expect.objectContaining({ kind: "skipped", blob: layer, isCached: true }));
  });

  test("names a layer by its entry while the archive passes by", async () => {
    const events = await eventsOf(
      async (onProgress, registry) =>
        await push([await fileWith(gzipSync(ARCHIVE))], { tag: `${registry}/app:1`, onProgress }),
    );
    expect(labels(events, "bytes")).toContain("entry 0/layer.tar");
    expect(labels(events, "done", "skipped")).toContain("entry 0/layer.tar");
  });
});
