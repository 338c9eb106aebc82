import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { ArchiveError, StorageError, UsageError } from "../../../../src/errors.ts";
import { DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { serveRegistry } from "../../../../src/serve/server.ts";
import { importImage } from "../../../../src/verbs/import/import-image.ts";
import { inspect } from "../../../../src/verbs/inspect.ts";
import { verify } from "../../../../src/verbs/verify.ts";
import { noise, sha256Of } from "../../../support/memory-blobs.ts";
import { tarArchive, tarEntry } from "../../../support/tar-builder.ts";

function workspace(): string {
  const path = mkdtempSync(join(tmpdir(), "imgpack-import-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const large = tarArchive([tarEntry({ name: "big", body: noise(2_500_000) }), tarEntry({ name: "dev", type: "3" })]);

async function registry(folder: string): Promise<string> {
  const running = await serveRegistry({ store: join(folder, "store") });
  onTestFinished(async () => await running[Symbol.asyncDispose]());
  return new URL(running.url).host;
}

async function manifestOf(host: string, repository: string, tag: string) {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`);
  return { type: response.headers.get("content-type"), value: JSON.parse(await response.text()) };
}

async function blobOf(host: string, repository: string, digest: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`http://${host}/v2/${repository}/blobs/${digest}`)).arrayBuffer());
}

describe("importImage() to an archive", () => {
  test("keeps a gzip tar as the layer, byte for byte", async () => {
    const folder = workspace();
    const layer = gzipSync(large);
    writeFileSync(join(folder, "r"), layer);
    const output = join(folder, "out.tar");
    const result = await importImage(join(folder, "r"), { tag: ["hello:1"], output, env: ["A=1"], author: "Ada" });
    expect(result).toMatchObject({
      diffId: sha256Of(large),
      layer: { mediaType: OCI_LAYER_GZIP, digest: sha256Of(layer), size: layer.length },
      output,
    });
    expect(await verify(output, { diffIds: true })).toMatchObject({ faults: [], unchecked: [], images: 1 });
    const [image] = (await inspect(output)).images;
    expect(image).toMatchObject({ names: ["docker.io/library/hello:1"], digest: result.images[0]?.digest });
    expect(readFileSync(output).includes('"author":"Ada"')).toBe(true);
  });

  test("compresses a plain tar; a run later, elsewhere, makes the same file", async () => {
    const [folder, other] = [workspace(), workspace()];
    for (const place of [folder, other]) writeFileSync(join(place, "r.tar"), large);
    const options = { tag: ["hello:1"], cmd: "/bin/x" };
    const result = await importImage(join(folder, "r.tar"), { ...options, output: join(folder, "o") });
    await importImage(join(other, "r.tar"), { ...options, output: join(other, "o") });
    expect(result).toMatchObject({ diffId: sha256Of(large), layer: { mediaType: OCI_LAYER_GZIP } });
    expect(result.layer?.size).toBeLessThan(large.length + 10_000);
    expect(readFileSync(join(folder, "o")).equals(readFileSync(join(other, "o")))).toBe(true);
    expect((await verify(join(folder, "o"))).faults).toEqual([]);
  });

  test("keeps a plain tar raw where that is wanted, with Docker's media types", async () => {
    const folder = workspace();
    writeFileSync(join(folder, "r.tar"), large);
    const options = { tag: ["hello:1"], output: join(folder, "o"), compression: "keep", format: "docker" } as const;
    const { layer } = await importImage(join(folder, "r.tar"), options);
    expect(layer).toEqual({ mediaType: DOCKER_LAYER, digest: sha256Of(large), size: large.length });
    expect((await inspect(options.output)).images[0]).toMatchObject({ mediaType: DOCKER_MANIFEST });
    expect((await verify(options.output)).faults).toEqual([]);
  });

  test("packs a folder the same way twice, and says that it does", async () => {
    const folder = workspace();
    mkdirSync(join(folder, "root/etc"), { recursive: true });
    writeFileSync(join(folder, "root/etc/a"), noise(1_500_000));
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
    const options = { tag: ["hello:1"], output: join(folder, "o"), onProgress };
    const { images } = await importImage(join(folder, "root"), options);
    expect(notes).toEqual([`Packing folder "${folder}/root" twice: the first time for its size`]);
    expect((await verify(options.output)).faults).toEqual([]);
    const again = await importImage(join(folder, "root"), { ...options, output: join(folder, "p"), dryRun: true });
    expect(again.images).toEqual(images);
    await expect(async () => readFileSync(join(folder, "p"))).rejects.toThrow("ENOENT");
    const later = await importImage(join(folder, "root"), { ...options, sourceDateEpoch: "1700000000" });
    expect(later.diffId).not.toBe(again.diffId);
  });

  test("refuses an archive that would lie in the folder itself", async () => {
    const folder = workspace();
    const failed = importImage(folder, { tag: ["a"], output: join(folder, "o.tar") });
    await expect(failed).rejects.toThrow(UsageError);
  });

  test("refuses what changed between its two readings, and leaves no file", async () => {
    const folder = workspace();
    const input = join(folder, "r.tar");
    writeFileSync(input, large);
    const output = join(folder, "o");
    let isChanged = false;
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind !== "planned" || event.blobs === 0 || isChanged) return;
      isChanged = true;
      writeFileSync(input, Buffer.from(large).fill(1, 5000, 6000));
    };
    await expect(importImage(input, { tag: ["a"], output, onProgress })).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringMatching(/^Cannot read file ".*": file changed while it was read/),
    });
    expect(isChanged).toBe(true);
    expect(() => readFileSync(output)).toThrow("ENOENT");
  });

  test.each([
    ["text", Buffer.from("no tar at all ".repeat(100)), ArchiveError, "expected a root filesystem tar"],
    ["a cut gzip", gzipSync(large).subarray(0, 50_000), ArchiveError, "gzip data ends"],
    ["an empty file", Buffer.alloc(0), ArchiveError, "it is empty"],
    ["gzip of text", gzipSync("no tar at all ".repeat(100)), ArchiveError, "it looks like text"],
  ])("refuses %s", async (_what, bytes, type, message) => {
    const folder = workspace();
    writeFileSync(join(folder, "r"), bytes);
    const failed = importImage(join(folder, "r"), { tag: ["a"], output: join(folder, "o") });
    await expect(failed).rejects.toThrow(type);
    await expect(failed).rejects.toThrow(message);
  });

  test("names a file that is not there", async () => {
    const failed = importImage(join(workspace(), "gone.tar"), { tag: ["a"], output: "o" });
    await expect(failed).rejects.toThrow(StorageError);
    await expect(failed).rejects.toThrow('gone.tar": no such file, expected a root filesystem tar or a folder');
  });
});

describe("importImage() to registries", () => {
  test("packs a folder once for two repositories, and sends the layer once", async () => {
    const folder = workspace();
    const host = await registry(folder);
    mkdirSync(join(folder, "root"));
    writeFileSync(join(folder, "root/big"), noise(3_000_000));
    const events: ProgressEvent[] = [];
    const tags = [`${host}/one:1`, `${host}/one:2`, `${host}/two`];
    const result = await importImage(join(folder, "root"), { tag: tags, onProgress: event => void events.push(event) });
    expect(result.images.map(({ reference }) => reference)).toEqual([tags[0], tags[1], `${host}/two:latest`]);
    // The layer and the config, and both of them mounted.
    expect(result.blobs).toEqual({ uploaded: 2, mounted: 2, skipped: 0, cached: 0 });
    const planned = events.flatMap(event => (event.kind === "planned" ? [event.bytes] : []));
    const done = events.flatMap(event =>
      event.kind === "bytes" ? [event.delta] : event.kind === "skipped" ? [event.bytes] : [],
    );
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
    expect(sum(done)).toBe(sum(planned));
    for (const [repository, tag] of [
      ["one", "1"],
      ["two", "latest"],
    ] as const) {
      const { value } = await manifestOf(host, repository, tag);
      expect(value.config.digest).toBe(result.imageId);
      const layer = await blobOf(host, repository, value.layers[0].digest);
      expect(sha256Of(gunzipSync(layer))).toBe(result.diffId);
      expect(value.layers[0].digest).toBe(result.layer?.digest);
    }
  });

  test("makes the image of the archive, and sends a tar a second time only as manifest", async () => {
    const folder = workspace();
    const host = await registry(folder);
    writeFileSync(join(folder, "r.tar"), large);
    const options = { cacheDir: join(folder, "cache"), label: ["a=b"] };
    const first = await importImage(join(folder, "r.tar"), { ...options, tag: [`${host}/a:1`] });
    const again = await importImage(join(folder, "r.tar"), { ...options, tag: [`${host}/a:2`] });
    expect(again.blobs).toMatchObject({ uploaded: 0, cached: 1 });
    expect([again.imageId, again.layer, again.images[0]?.digest]).toEqual([
      first.imageId,
      first.layer,
      first.images[0]?.digest,
    ]);
    const archived = await importImage(join(folder, "r.tar"), { ...options, tag: ["a"], output: join(folder, "o") });
    expect(archived.images[0]?.digest).toBe(first.images[0]?.digest);
    // With nothing known, the registry is asked whether the tag stands for the image.
    const fresh = await importImage(join(folder, "r.tar"), { label: ["a=b"], tag: [`${host}/a:1`] });
    expect(fresh.blobs).toEqual({ uploaded: 0, mounted: 0, skipped: 0, cached: 0 });
    expect(fresh.images).toEqual(first.images);
  });

  test.each([
    [undefined, OCI_LAYER],
    ["docker", DOCKER_LAYER],
  ] as const)("sends a raw layer with --format %s under its own media type", async (format, mediaType) => {
    const folder = workspace();
    const host = await registry(folder);
    writeFileSync(join(folder, "r.tar"), large);
    await importImage(join(folder, "r.tar"), { tag: [`${host}/raw`], compression: "keep", format });
    const { value } = await manifestOf(host, "raw", "latest");
    expect(value.layers).toEqual([{ mediaType, digest: sha256Of(large), size: large.length }]);
  });

  test("pushes no manifest of a folder that turns out unreadable", async () => {
    const folder = workspace();
    const host = await registry(folder);
    mkdirSync(join(folder, "root"));
    // More than is ever read ahead: when the first bytes are reported, nobody has come to the second file.
    writeFileSync(join(folder, "root/a"), Buffer.alloc(64 * 1024 * 1024));
    writeFileSync(join(folder, "root/b"), noise(100_000));
    let isGone = false;
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind !== "bytes" || event.delta <= 0 || isGone) return;
      isGone = true;
      rmSync(join(folder, "root/b"));
    };
    const failed = importImage(join(folder, "root"), { tag: [`${host}/a:1`], onProgress });
    await expect(failed).rejects.toMatchObject({ code: "ERR_STORAGE", origin: "source" });
    expect((await fetch(`http://${host}/v2/a/manifests/1`)).status).toBe(404);
  });
});
