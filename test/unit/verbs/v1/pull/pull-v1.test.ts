// `pull v1://…`: what ends up in an archive, and how often a layer is asked for.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../../src/content/progress.ts";
import { IntegrityError } from "../../../../../src/errors.ts";
import { copyTo } from "../../../../../src/verbs/copy/copy.ts";
import { inspectArchive } from "../../../../../src/verbs/inspect.ts";
import { pull } from "../../../../../src/verbs/pull.ts";
import type { PullOptions, PullResult } from "../../../../../src/verbs/pull-options.ts";
import type { RescueReport } from "../../../../../src/verbs/v1/report/rescue-report.ts";
import { verify } from "../../../../../src/verbs/verify.ts";
import { temporaryFolder } from "../../../../support/images.ts";
import { sha256 } from "../../../../support/memory-registry.ts";
import { progressOf } from "../../../../support/progress-of.ts";
import { ScriptedRegistry } from "../../../../support/scripted-registry.ts";
import { fillImage, idOf } from "../../../../support/v1/fill-v1.ts";
import { payloadChecksum } from "../../../../support/v1/v1-content.ts";
import type { V1Options } from "../../../../support/v1/v1-options.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

async function scene(options: V1Options = {}) {
  const registry = await V1Registry.start({ isReadOnly: true, ...options });
  const folder = await temporaryFolder();
  const notes: string[] = [];
  const events: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent): void => {
    events.push(event);
    if (event.kind === "note") notes.push(event.message);
  };
  return {
    registry,
    notes,
    events,
    path: (name: string): string => join(folder, name),
    pull: async (names: readonly string[], changes: Partial<PullOptions> = {}) =>
      await pull(
        names.map(name => `v1://${registry.host}/${name}`),
        { output: join(folder, "out.tar"), onProgress, ...changes },
      ),
    layersAsked: (): number => registry.seen(/^GET .*\/layer$/).length,
  };
}

describe("pull of v1 references", () => {
  test("an archive has the images of all tags, each layer is asked for once, and the empty one is stored once", async () => {
    const { registry, pull: run, path, layersAsked } = await scene();
    const { content } = registry;
    const empty = Buffer.alloc(1024);
    content.addImage({ id: idOf("1"), layer: Buffer.alloc(200 * 1024, "x") });
    for (const [id, parent] of [
      ["2", "1"],
      ["3", "2"],
      ["4", "3"],
    ] as const)
      content.addImage({ id: idOf(id), parent: idOf(parent), layer: empty });
    content.addTag("library/App", "1", idOf("3"));
    content.addTag("library/App", "2", idOf("4"));
    const result = await run(["**"]);
    expect(result.images.map(({ names }) => names)).toEqual([[`${registry.host}/app:1`], [`${registry.host}/app:2`]]);
    expect(layersAsked()).toBe(4);
    // Two configs, the large layer, the empty one.
    expect(result.blobs).toBe(4);
    await expect(verify(path("out.tar"))).resolves.toMatchObject({ faults: [] });
  });

  test.each(["0.6", "0.8", "0.9"] as const)("the same images give the same bytes in the manner of %s", async manner => {
    const first = await scene({ manner });
    fillImage(first.registry.content, "team/app", "latest");
    await first.pull(["team/app"]);
    const again = await first.pull(["team/app"], { output: first.path("again.tar") });
    const parts: Buffer[] = [];
    const stream = new Writable({
      write(part: Buffer, _encoding, done) {
        parts.push(Buffer.from(part));
        done();
      },
    });
    await first.pull(["team/app"], { output: stream });
    const bytes = readFileSync(first.path("out.tar"));
    expect(readFileSync(first.path("again.tar")).equals(bytes)).toBe(true);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    await first.pull(["team/app"], { output: first.path("folder/") });
    await expect(verify(first.path("folder"))).resolves.toMatchObject({ faults: [] });
    expect(again.images).toHaveLength(1);
  });

  test.each([
    ["gzip", "hello.tar.gz", "gzip"],
    ["zstd", "hello.tar.zst", "zstd"],
    ["xz", "hello.tar.xz", "gzip"],
    ["bzip2", "hello.tar.bz2", "gzip"],
  ])(
    "a layer in %s: what loaders unpack stays as stored, docker 20.10 gets gzip, the image ID is one",
    async (type, file, usual) => {
      const { registry, pull: run, path } = await scene();
      const stored = readFileSync(new URL(`../../../../../fixtures/${file}`, import.meta.url));
      content(registry, stored);
      const ids = new Set<string | undefined>();
      for (const [wanted, changes] of [[usual, {}] as const, ["gzip", { for: "docker20" }] as const]) {
        await run(["app"], changes);
        const { layers: [layer] = [], config } = (await inspectArchive(path("out.tar"))).images[0]?.platforms[0] ?? {};
        expect(layer?.mediaType).toMatch(new RegExp(`tar.${wanted}$`));
        if (type === wanted) expect(layer).toMatchObject({ digest: sha256(stored), size: stored.length });
        ids.add(config);
      }
      expect([...ids]).toEqual([expect.stringMatching(/^sha256:/)]);
    },
  );

  test("a wrong checksum is exit 6, --no-v1-checksums makes it a note", async () => {
    const { registry, pull: run, notes } = await scene();
    content(registry, Buffer.alloc(1024)).checksums = [`sha256:${"0".repeat(64)}`];
    await expect(run(["app"])).rejects.toMatchObject({ exitCode: 6 });
    await run(["app"], { v1Checksums: false });
    expect(notes.join("\n")).toMatch(/does not fit its checksum/);
  });

  test("a pull accepts no layer with a wrong checksum because an earlier one ignored checksums", async () => {
    const { registry, pull: run, path, layersAsked } = await scene();
    content(registry, Buffer.alloc(1024)).checksums = [`sha256:${"0".repeat(64)}`];
    const cacheDir = path("cache");
    await run(["app"], { v1Checksums: false, cacheDir });
    await expect(run(["app"], { cacheDir, output: path("b.tar") })).rejects.toMatchObject({ exitCode: 6 });
    const asked = layersAsked();
    await run(["app"], { v1Checksums: false, cacheDir, output: path("c.tar") });
    // Its digest is known, so that it goes to its place at once.
    expect(layersAsked()).toBe(asked + 1);
  });

  test.each(["b.tar", "folder/"])("a layer that was repaired after an earlier run is read again: %s", async output => {
    const { registry, pull: run, path, notes } = await scene();
    const cacheDir = path("cache");
    const image = content(registry, Buffer.alloc(100 * 1024));
    await run(["app"], { cacheDir });
    const repaired = Buffer.alloc(100 * 1024, 1);
    image.layer = repaired;
    image.checksums = [payloadChecksum(image.json, repaired)];
    const stream = new Writable({ write: (_part, _encoding, done) => done() });
    if (output === "folder/") await expect(run(["app"], { cacheDir, output: stream })).rejects.toThrow(IntegrityError);
    await run(["app"], { cacheDir, output: path(output) });
    expect(notes.filter(note => note.includes("other layers than in an earlier run"))).toHaveLength(
      output === "folder/" ? 0 : 1,
    );
    const { images } = await run(["app"], { cacheDir, output: path("c.tar") });
    expect(images).toHaveLength(1);
  });

  test("keep-going writes the others, and says what failed", async () => {
    const { registry, pull: run } = await scene();
    fillImage(registry.content, "library/good", "1", "cb");
    fillImage(registry.content, "library/bad", "1", "fed");
    registry.content.image(idOf("e")).isInProgress = true;
    fillImage(registry.content, "library/torn", "1", "987");
    registry.content.image(idOf("8")).layer = undefined;
    const error = await run(["**"], { keepGoing: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      exitCode: 10,
      failed: expect.arrayContaining([expect.stringMatching(/bad:1$/), expect.stringMatching(/torn:1$/)]) as unknown,
      result: { images: [{ names: [`${registry.host}/good:1`] }] },
      message: expect.stringMatching(/\(needed by "v1:.*\/torn:1"\)/) as unknown,
    });
  });

  test("an error of a layer names the image that needs it", async () => {
    const { registry, pull: run } = await scene();
    fillImage(registry.content, "library/torn", "1", "987");
    registry.content.image(idOf("8")).layer = undefined;
    for (const keepGoing of [false, true])
      await expect(run(["**"], { keepGoing })).rejects.toThrow(`(needed by "v1://${registry.host}/library/torn:1")`);
    const target = await ScriptedRegistry.start();
    const copied = copyTo([`v1://${registry.host}/torn:1`], target.host);
    await expect(copied).rejects.toThrow(/\(needed by "v1:.*torn:1"\)/);
    fillImage(registry.content, "library/good", "1", "cb");
    const several = copyTo([`v1://${registry.host}/**`], target.host);
    await expect(several).rejects.toThrow(/\(needed by "v1:.*torn:1"\)/);
  });

  test.each(["0.6", "0.9"] as const)("progress counts each layer once, in the manner of %s", async manner => {
    const { registry, pull: run, events } = await scene({ manner });
    const { content: all } = registry;
    const sizes = [100_000, 2000];
    all.addImage({ id: idOf("1"), layer: Buffer.alloc(sizes[0] ?? 0, "x") });
    all.addImage({ id: idOf("2"), parent: idOf("1"), layer: Buffer.alloc(sizes[1] ?? 0, "y") });
    for (const tag of ["1", "2"]) all.addTag("library/app", tag, idOf("2"));
    const { blobs, blobBytes } = await run(["app:*"]);
    expect(blobs).toBe(3);
    expect(progressOf(events)).toEqual({ blobs: 3, planned: blobBytes, moved: blobBytes, done: 3 });
  });

  test("--report has a row per tag, with its name in the archive, or with what to do", async () => {
    const { registry, pull: run, path } = await scene();
    fillImage(registry.content, "library/Good", "1", "cba");
    registry.content.addTag("library/Good", "2", idOf("a"));
    fillImage(registry.content, "library/torn", "1", "987");
    registry.content.image(idOf("8")).layer = undefined;
    const report = path("report.json");
    const rows = async (options: Partial<PullOptions>): Promise<RescueReport> => {
      const error = await run(["**"], { keepGoing: true, report, ...options }).catch((thrown: unknown) => thrown);
      const written = JSON.parse(readFileSync(report, "utf8")) as RescueReport;
      expect((error as { result: PullResult }).result.rescue).toEqual(written);
      return written;
    };
    const source = (name: string): string => `v1://${registry.host}/library/${name}`;
    const name = (tag: string): string => `${registry.host}/good:${tag}`;
    registry.content.image(idOf("8")).isInProgress = true;
    const planned = await rows({ dryRun: true });
    expect(planned).toMatchObject({ dryRun: true, complete: true, copied: 0, failed: 1, layers: 3 });
    expect(planned.images).toMatchObject([{ target: name("1") }, { target: name("2") }, { source: source("torn:1") }]);
    expect(planned.images[0]).not.toHaveProperty("digest");
    registry.content.image(idOf("8")).isInProgress = false;
    const { images, ...counts } = await rows({});
    expect(counts).toMatchObject({ complete: true, tags: 3, copied: 2, failed: 1, repositories: 2 });
    const { images: top } = await inspectArchive(path("out.tar"));
    expect(images).toMatchObject([
      {
        source: source("Good:1"),
        id: idOf("a"),
        target: name("1"),
        digest: top[0]?.digest,
        config: top[0]?.platforms[0]?.config,
      },
      { source: source("Good:2"), id: idOf("a"), target: name("2"), digest: top[0]?.digest },
      { source: source("torn:1"), error: { code: "ERR_NOT_FOUND", hint: expect.stringMatching(/backup/) as unknown } },
    ]);
    // Without --keep-going, the row of the failure is written, too.
    await expect(run(["torn:1", "Good:1"], { report })).rejects.toMatchObject({ exitCode: 5 });
    expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({
      complete: false,
      images: [{ error: { code: "ERR_NOT_FOUND" } }, { error: { code: "ERR_INTERRUPTED" } }],
    });
  });

  test("--report is refused in the place of the output, and for other registries", async () => {
    const { pull: run, path } = await scene();
    const folder = path("all/");
    await expect(run(["app"], { output: folder, report: `${folder}r.csv` })).rejects.toMatchObject({ exitCode: 2 });
    await expect(run(["app"], { output: path("r.csv"), report: path("r.csv") })).rejects.toMatchObject({ exitCode: 2 });
    for (const option of [{ report: path("r.csv") }, { v1Checksums: false }])
      await expect(pull(["r.lan/app"], { output: path("o.tar"), ...option })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("a dry run asks for no layer and writes nothing", async () => {
    const { registry, pull: run, notes, layersAsked } = await scene();
    fillImage(registry.content, "library/app", "1");
    const result = await run(["**"], { dryRun: true });
    expect(result).toMatchObject({ images: [], blobs: 3 });
    expect(notes.join("\n")).toMatch(/1 tag with 3 layers/);
    expect(layersAsked()).toBe(0);
  });

  test("a dry run after a pull does not say that the archive contains the others", async () => {
    const { registry, pull: run, path } = await scene();
    fillImage(registry.content, "library/app", "1");
    const options = { cacheDir: path("cache"), keepGoing: true };
    await run(["app:1"], options);
    const planned = run(["app:1", "none:1"], { ...options, output: path("other.tar"), dryRun: true });
    await expect(planned).rejects.toMatchObject({
      hint: "Nothing was written.",
      result: { images: [{ digest: expect.stringMatching(/^sha256:/) as unknown }] },
    });
  });

  test("a layer that an earlier run has read goes straight to its output", async () => {
    const { registry, pull: run, path, layersAsked, notes } = await scene();
    content(registry, Buffer.alloc(100 * 1024, "y"));
    await run(["app"], { cacheDir: path("cache") });
    notes.length = 0;
    await run(["app"], { cacheDir: path("cache"), output: path("folder/") });
    expect(layersAsked()).toBe(2);
    expect(notes.filter(note => /kept in/.test(note))).toEqual([]);
  });

  test("options that mean nothing for v1 are refused", async () => {
    const { pull: run } = await scene();
    await expect(run(["app"], { mirror: "m.lan" })).rejects.toMatchObject({ exitCode: 2 });
    await expect(run(["app"], { sparse: "keep" })).rejects.toMatchObject({ exitCode: 2 });
  });
});

/** One image of one layer, library/app:latest. */
function content({ content: all }: V1Registry, layer: Buffer) {
  const image = all.addImage({ id: idOf("a"), layer });
  all.addTag("library/app", "latest", idOf("a"));
  return image;
}
