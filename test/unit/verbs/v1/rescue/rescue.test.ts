import { mkdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../../src/content/progress.ts";
import { IntegrityError, NetworkError, NotFoundError, PartialError } from "../../../../../src/errors.ts";
import type { CopyOptions, CopyResult } from "../../../../../src/index.ts";
import type { RescueReport } from "../../../../../src/verbs/v1/report/rescue-report.ts";
import { rescueReportFile } from "../../../../../src/verbs/v1/report/rescue-report-file.ts";
import { type RescueList, rescue } from "../../../../../src/verbs/v1/rescue/rescue.ts";
import { seededBytes, temporaryFolder } from "../../../../support/images.ts";
import { sha256 } from "../../../../support/memory-registry.ts";
import { MemoryV1Store } from "../../../../support/memory-v1-store.ts";
import { progressOf } from "../../../../support/progress-of.ts";
import { ScriptedRegistry } from "../../../../support/scripted-registry.ts";

const BASE = seededBytes("base", 70_000);
const APP = seededBytes("app", 30_000);
const DATA = seededBytes("data", 5000);

interface Scene {
  readonly store: MemoryV1Store;
  readonly target: ScriptedRegistry;
  readonly folder: string;
  readonly reportPath: string;
  /** Copies all tags. */
  readonly run: (options?: CopyOptions) => Promise<CopyResult>;
  readonly report: () => Promise<RescueReport>;
}

/** Three repositories: two tags of one image, one with a layer of the other, one without tags. */
async function start(): Promise<Scene> {
  const store = new MemoryV1Store();
  store.add("library/app", "1", [BASE, APP]);
  store.add("library/app", "latest", [BASE, APP]);
  store.add("team/db", "2", [BASE, DATA, Buffer.alloc(0)]);
  store.tagsOf("team/empty");
  return await startWith(store);
}

/** @param like gives it the same target and cache. */
async function startWith(store: MemoryV1Store, like?: Scene): Promise<Scene> {
  const target = like?.target ?? (await ScriptedRegistry.start());
  const folder = like?.folder ?? (await temporaryFolder());
  const [cacheDir, reportPath] = [join(folder, "cache"), join(folder, "report.json")];
  return {
    store,
    target,
    folder,
    reportPath,
    run: async (options = {}) =>
      await rescue(
        {
          named: [target.host],
          reached: [target.host],
          requests: async () => store.reads.length,
          list: async () => listOf(store, target.host),
        },
        { cacheDir, ...options },
        await rescueReportFile(reportPath, []),
      ),
    report: async () => JSON.parse(await readFile(reportPath, "utf8")) as RescueReport,
  };
}

function listOf(store: MemoryV1Store, host: string): RescueList {
  const jobs = [...store.tags].flatMap(([name, tags]) => {
    const [namespace = "", rest = ""] = name.split("/");
    return [...tags.keys()].map(tag => {
      const source = `${store.name}/${name}:${tag}`;
      const to = { registry: host, repository: name.replace("library/", ""), tag };
      const session = async () => await store.open({ namespace, name: rest });
      return { source, line: source, tag, session, to };
    });
  });
  const repositoriesWithoutTags = [...store.tags.values()].filter(({ size }) => size === 0).length;
  return { jobs, repositories: store.tags.size, repositoriesWithoutTags, failed: [] };
}

/** The tags that are at the target, whole. */
function tagsAt({ content }: ScriptedRegistry): readonly string[] {
  return [...content.manifests.keys()].filter(name => {
    if (name.startsWith("sha256:")) return false;
    const { config, layers } = JSON.parse(content.manifests.get(name)?.bytes.toString() ?? "");
    for (const { digest } of [config, ...layers]) expect(content.blobs.has(digest), `${digest} of ${name}`).toBe(true);
    return true;
  });
}

const layerReads = ({ reads }: MemoryV1Store): readonly string[] => reads.filter(what => what.startsWith("layer "));

describe("rescue()", () => {
  test("copies all tags; each layer is read once, however many images and repositories share it", async () => {
    const scene = await start();
    const result = await scene.run({ verify: true });
    expect(tagsAt(scene.target).toSorted()).toEqual(["app:1", "app:latest", "team/db:2"]);
    expect(layerReads(scene.store)).toHaveLength(4);
    expect(new Set(layerReads(scene.store)).size).toBe(4);
    const report = await scene.report();
    expect(report).toEqual(JSON.parse(JSON.stringify(result.rescue)));
    expect(report).toMatchObject({
      complete: true,
      verified: true,
      repositories: 3,
      repositoriesWithoutTags: 1,
      tags: 3,
      copied: 3,
      failed: 0,
      layers: 4,
      layerBytes: 105_000,
      layersOfUnknownSize: 0,
    });
    const [first] = report.images;
    const manifest = scene.target.content.manifests.get("app:1")?.bytes.toString() ?? "";
    expect(first).toEqual({
      source: "v1://old.lan/library/app:1",
      id: scene.store.tags.get("library/app")?.get("1"),
      target: `${scene.target.host}/app:1`,
      digest: scene.target.seen(/^PUT .*app\/manifests/)[0] && expect.stringMatching(/^sha256:/),
      config: JSON.parse(manifest).config.digest,
      bytes: 100_000,
    });
    // The target has a layer of another repository under any name: it is looked up there, and not sent again.
    const sent = scene.target.seen(/^PUT .*\/blobs\/uploads\//).map(({ path }) => path.split("digest=")[1]);
    expect(sent).toHaveLength(6);
    expect(new Set(sent).size).toBe(6);
  });

  test.each([true, false])("progress counts each layer once; sizes stated: %s", async statesSizes => {
    const store = Object.assign(new MemoryV1Store(), { statesSizes });
    for (const tag of ["1", "latest"]) store.add("library/app", tag, [BASE, APP]);
    const events: ProgressEvent[] = [];
    await (await startWith(store)).run({ concurrency: 1, onProgress: event => void events.push(event) });
    const { planned, moved, blobs, done } = progressOf(events.filter(({ kind }) => kind !== "note"));
    const config = planned - BASE.length - APP.length;
    expect(config).toBeGreaterThan(0);
    expect(config).toBeLessThan(2000);
    expect([moved, blobs, done]).toEqual([planned, 3, 3]);
  });

  test("a second run asks the target, and downloads no layer; with another target, neither", async () => {
    const scene = await start();
    const first = await scene.run();
    scene.store.reads.length = 0;
    const before = scene.target.requests.length;
    const second = await scene.run();
    expect(layerReads(scene.store)).toEqual([]);
    expect(scene.target.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD", "HEAD", "HEAD"]);
    expect(second.images.map(({ digest }) => digest)).toEqual(first.images.map(({ digest }) => digest));
    scene.target.content.manifests.clear();
    await scene.run();
    expect(layerReads(scene.store)).toEqual([]);
    expect(tagsAt(scene.target)).toHaveLength(3);
  });

  test("a tag that fails stops no other: its row says what was found and what to do", async () => {
    const scene = await start();
    const { store } = scene;
    const broken = store.add("team/web", "1", [BASE, seededBytes("lost", 100)]);
    store.add("team/web", "2", [BASE, seededBytes("lost", 100), DATA]);
    store.add("team/web", "3", [BASE, APP]);
    store.onRead = what => {
      if (what === `layer ${broken}`) throw new NotFoundError(`Cannot read layer ${broken}: 404, expected it`);
      if (what === "tag team/db:2") throw new IntegrityError("Cannot accept it", { hint: "Do this." });
    };
    const error = await scene.run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PartialError);
    if (!(error instanceof PartialError)) return;
    expect(error.failed.toSorted()).toEqual(
      ["team/db:2", "team/web:1", "team/web:2"].map(name => `v1://old.lan/${name}`),
    );
    expect((error.result as CopyResult).images).toHaveLength(3);
    const [head, ...reasons] = error.message.replaceAll("v1://old.lan/team/", "").split("\n  ");
    expect(head).toBe("Cannot copy 3 of 6 images:");
    expect(reasons.toSorted()).toEqual([
      'Cannot accept it (needed by "db:2")',
      expect.stringMatching(`^Cannot read layer ${broken}: 404, expected it \\(needed by "web:[12]" and 1 more\\)$`),
    ]);
    expect(tagsAt(scene.target).toSorted()).toEqual(["app:1", "app:latest", "team/web:3"]);
    const { images, complete, copied, failed } = await scene.report();
    expect({ complete, copied, failed, rows: images.length }).toEqual({
      complete: true,
      copied: 3,
      failed: 3,
      rows: 6,
    });
    expect(images.filter(image => "error" in image)).toEqual([
      {
        source: "v1://old.lan/team/db:2",
        error: { code: "ERR_INTEGRITY", message: "Cannot accept it", hint: "Do this." },
      },
      ...["1", "2"].map(tag => ({
        source: `v1://old.lan/team/web:${tag}`,
        error: {
          code: "ERR_NOT_FOUND",
          message: `Cannot read layer ${broken}: 404, expected it`,
          hint: expect.stringMatching(/^The old registry lacks it/),
        },
      })),
    ]);
    // Not asked again for each image that has it.
    expect(layerReads(store).filter(what => what === `layer ${broken}`)).toHaveLength(1);
  });

  test("a message has at most ten failures, each in a line, and says where the others are", async () => {
    const store = new MemoryV1Store();
    for (let tag = 0; tag < 12; tag += 1) store.add("library/app", `${tag}`, [BASE]);
    store.onRead = what => {
      if (what.startsWith("tag ")) throw new IntegrityError(`Cannot read ${what}`);
    };
    const scene = await startWith(store);
    const error = await scene.run().catch((thrown: unknown) => thrown);
    const lines = (error as Error).message.split("\n");
    expect(lines).toHaveLength(12);
    expect(lines[0]).toBe("Cannot copy 12 of 12 images:");
    expect(lines[11]).toBe("  and 2 more, see --report");
    // No checksum of v1 is at fault.
    const { images } = await scene.report();
    for (const image of images) expect("error" in image && image.error.hint).not.toContain("--no-v1-checksums");
  });

  test("what may succeed later is tried again for the next image", async () => {
    const scene = await start();
    const base = JSON.parse(
      scene.store.layers.get(scene.store.tags.get("library/app")?.get("1") ?? "")?.json.toString() ?? "{}",
    ).parent;
    let times = 0;
    scene.store.onRead = what => {
      if (what !== `layer ${base}` || times > 0) return;
      times += 1;
      throw new NetworkError("Cannot reach old.lan", { transient: true });
    };
    await expect(scene.run({ concurrency: 1 })).rejects.toMatchObject({ failed: ["v1://old.lan/library/app:1"] });
    expect(tagsAt(scene.target).toSorted()).toEqual(["app:latest", "team/db:2"]);
  });

  test("one image alone throws what it failed with, and has its row", async () => {
    const store = new MemoryV1Store();
    store.add("library/app", "1", [BASE]);
    const scene = await startWith(store);
    store.onRead = what => {
      if (what.startsWith("layer ")) throw new NotFoundError("Cannot read layer");
    };
    await expect(scene.run()).rejects.toMatchObject({
      exitCode: 5,
      message: 'Cannot read layer (needed by "v1://old.lan/library/app:1")',
    });
    expect(await scene.report()).toMatchObject({
      complete: true,
      failed: 1,
      images: [{ error: { code: "ERR_NOT_FOUND" } }],
    });
  });

  test("--dry-run counts repositories, tags, layers and bytes, reads no layer and asks the target nothing", async () => {
    const scene = await start();
    const { rescue: report, images } = await scene.run({ dryRun: true });
    expect(layerReads(scene.store)).toEqual([]);
    expect(scene.target.requests).toEqual([]);
    expect(images).toEqual([]);
    expect(report).toMatchObject({
      dryRun: true,
      repositories: 3,
      tags: 3,
      layers: 4,
      layerBytes: 105_000,
      copied: 0,
      failed: 0,
    });
    await scene.run();
    const { images: known } = await scene.run({ dryRun: true });
    expect(known.map(({ digest }) => digest)).toEqual((await scene.run()).images.map(({ digest }) => digest));
  });

  test("--compression gzip compresses each layer once, and a second run finds the image", async () => {
    const scene = await start();
    await scene.run({ compression: "gzip", verify: true });
    expect(layerReads(scene.store)).toHaveLength(4);
    const types = [...scene.target.content.manifests.values()].flatMap(({ bytes }) =>
      JSON.parse(bytes.toString()).layers.map((layer: { mediaType: string }) => layer.mediaType),
    );
    expect(new Set(types)).toEqual(new Set(["application/vnd.docker.image.rootfs.diff.tar.gzip"]));
    const before = scene.target.requests.length;
    await scene.run({ compression: "gzip" });
    expect(scene.target.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD", "HEAD", "HEAD"]);
    expect(layerReads(scene.store)).toHaveLength(4);
  });

  test("xz and bzip2 layers are gzip in another registry, which has no media type for them", async () => {
    const store = new MemoryV1Store();
    const stored = ["hello.tar.xz", "hello.tar.bz2", "hello.tar.gz"].map(name =>
      readFileSync(new URL(`../../../../../fixtures/${name}`, import.meta.url)),
    );
    store.add("library/app", "1", stored);
    const { run, target } = await startWith(store);
    await run();
    const { layers } = JSON.parse(target.content.manifests.get("app:1")?.bytes.toString() ?? "");
    expect(layers).toHaveLength(3);
    for (const { mediaType, digest } of layers) {
      expect(mediaType).toMatch(/tar\.gzip$/);
      expect(gunzipSync(target.content.blobs.get(digest) ?? "").length).toBeGreaterThan(0);
    }
    expect(layers[2].digest).toBe(sha256(stored[2] ?? Buffer.alloc(0)));
  });

  test("--verify finds a layer and a config that the registry lost, and a tag that someone moved", async () => {
    const scene = await start();
    await scene.run();
    const { manifests, blobs } = scene.target.content;
    const { config, layers } = JSON.parse(manifests.get("app:1")?.bytes.toString() ?? "");
    blobs.delete(layers[1].digest);
    blobs.set(config.digest, Buffer.from("{}"));
    const error = await scene.run({ verify: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 10, failures: [{ exitCode: 6 }, { exitCode: 6 }] });
    const { images } = await scene.report();
    const found = images.flatMap(image => ("error" in image ? [image.error.message] : []));
    expect(found).toHaveLength(2);
    for (const message of found) {
      expect(message).toContain(`config ${config.digest} has other bytes`);
      expect(message).toContain(`layer ${layers[1].digest} is not there`);
    }
  });

  test("an interrupted run has a report in which the rest is not copied; the next run copies it alone", async () => {
    const scene = await start();
    const stop = new AbortController();
    const reason = new Error("stopped");
    scene.store.onRead = what => {
      if (what === "tag team/db:2") stop.abort(reason);
    };
    await expect(scene.run({ concurrency: 1, signal: stop.signal })).rejects.toBe(reason);
    const { complete, images } = await scene.report();
    expect(complete).toBe(false);
    expect(images.map(image => ("error" in image ? image.error.code : image.target.split("/").at(-1)))).toEqual([
      "app:1",
      "app:latest",
      "ERR_INTERRUPTED",
    ]);
    scene.store.onRead = () => undefined;
    scene.store.reads.length = 0;
    await scene.run();
    expect(layerReads(scene.store)).toHaveLength(2);
    expect((await scene.report()).complete).toBe(true);
  });

  test("a report that cannot be written is an error that has the result", async () => {
    const scene = await start();
    scene.store.onRead = what => {
      if (what === "tag team/db:2") mkdirSync(scene.reportPath);
    };
    const error = await scene.run().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 10, failures: [{ exitCode: 9 }], result: { images: [{}, {}, {}] } });
  });

  test("a layer that was repaired after an earlier run is read again, not refused for ever", async () => {
    const scene = await start();
    await scene.run();
    scene.target.content.manifests.clear();
    scene.target.content.blobs.clear();
    const id = scene.store.tags.get("library/app")?.get("1") ?? "";
    const stored = scene.store.layers.get(id);
    if (stored === undefined) throw new Error(id);
    const repaired = seededBytes("repaired", stored.layer.length);
    const checksum = sha256(Buffer.concat([stored.json, Buffer.from("\n"), repaired]));
    // The next run opens the registry anew.
    const store = Object.assign(new MemoryV1Store(), { layers: scene.store.layers, tags: scene.store.tags });
    store.layers.set(id, { ...stored, layer: repaired, checksums: [checksum] });
    const next = await startWith(store, scene);
    const { images } = await next.run({ concurrency: 1 });
    expect(images).toHaveLength(3);
    expect(next.target.content.blobs.has(sha256(repaired))).toBe(true);
    store.reads.length = 0;
    await next.run();
    expect(layerReads(store)).toEqual([]);
  });

  test("a second run has one note for all that is there, and a bad checksum does not speak of an earlier run", async () => {
    const scene = await start();
    const id = scene.store.tags.get("team/db")?.get("2") ?? "";
    const stored = scene.store.layers.get(id);
    if (stored === undefined) throw new Error(id);
    scene.store.layers.set(id, { ...stored, checksums: [sha256(Buffer.from("other"))] });
    const notes: string[] = [];
    const onProgress: NonNullable<CopyOptions["onProgress"]> = event =>
      void (event.kind === "note" && notes.push(event.message));
    const hints: unknown[] = [];
    const failing = async (options: CopyOptions): Promise<void> => {
      const error = await scene.run({ ...options, concurrency: 1, onProgress }).catch((thrown: unknown) => thrown);
      hints.push(error instanceof PartialError ? error.hint : error);
    };
    await failing({});
    expect(notes.join("\n")).not.toMatch(/earlier run/);
    notes.length = 0;
    await failing({ report: "out.json" });
    expect(notes.filter(note => /nothing to copy/.test(note))).toEqual([
      "2 tags are these images already: nothing to copy",
    ]);
    expect(hints).toEqual([
      expect.stringMatching(/^The others are copied\. Fix .* again; --report FILE says what to do about each\./),
      expect.stringMatching(/^The others are copied\. Fix the cause and run the same command again\./),
    ]);
    scene.store.layers.delete(id);
    hints.length = 0;
    await failing({ dryRun: true });
    expect(hints).toEqual([expect.stringMatching(/^Nothing was copied; a run copies the others\./)]);
  });
});
