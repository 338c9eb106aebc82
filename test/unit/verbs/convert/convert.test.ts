import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { type ConvertOptions, convert, inspect, verify } from "../../../../src/index.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../../../support/images.ts";
import { collect, sha256Of } from "../../../support/memory-blobs.ts";
import {
  annotated,
  configOf,
  describe as describeBlob,
  indexOf,
  layerOf,
  layoutFiles,
  manifestOf,
  tarOf,
} from "../../archive/archive-builder.ts";

const layer = seededBytes("layer", 3_000_000);

async function archive(): Promise<string> {
  return await fileWith(dockerArchive({ tags: ["app:1"], layers: [layer] }));
}

async function out(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

describe("convert()", () => {
  test.each(["universal", "oci", "docker"] as const)(
    "convert() keeps config and layer of a docker archive in %s",
    async format => {
      const input = await archive();
      const output = await out();
      const result = await convert(input, { output, format });
      expect(result).toMatchObject({ output, format, blobs: 2, images: [{ names: ["docker.io/library/app:1"] }] });
      expect(result.images[0]).not.toHaveProperty("previousDigest");
      expect(await verify(output)).toMatchObject({ faults: [] });
      const [before] = (await inspect(input)).images;
      const [after] = (await inspect(output)).images;
      expect(after?.platforms[0]?.config).toBe(before?.platforms[0]?.config);
      expect(after?.platforms[0]?.layers).toMatchObject([{ digest: sha256Of(layer) }]);
    },
  );

  test("convert() writes the same bytes to a file and to a stream", async () => {
    const input = await archive();
    const output = await out();
    await convert(input, { output });
    const stream = new PassThrough();
    const bytes = collect(stream);
    expect(await convert(input, { output: stream })).toMatchObject({ output: "-" });
    stream.end();
    expect((await readFile(output)).equals(await bytes)).toBe(true);
  });

  test("convert() there and back again gives the same archive", async () => {
    const [first, second, third] = [await out(), await out(), await out()];
    await convert(await archive(), { output: first, layers: "gzip" });
    const middle = await convert(first, { output: second, layers: "raw" });
    expect(middle.images[0]?.previousDigest).toMatch(/^sha256:/);
    await convert(second, { output: third, layers: "gzip" });
    expect((await readFile(third)).equals(await readFile(first))).toBe(true);
  });

  test("convert() recompresses gzip layers to raw ones, and reports it", async () => {
    const packed = await out();
    await convert(await archive(), { output: packed, layers: "gzip" });
    const notes: ProgressEvent[] = [];
    const output = await out();
    await convert(packed, {
      output,
      layers: "raw",
      onProgress: event => void (event.kind === "note" && notes.push(event)),
    });
    expect(notes).toEqual([{ kind: "note", message: expect.stringContaining("Recompressing 1 layer to raw") }]);
    expect((await readFile(output)).includes(layer)).toBe(true);
  });

  test("convert() takes the chosen image under its new name", async () => {
    const output = await out();
    await convert(await archive(), { output, image: ["app:1"], tag: ["r.lan/new:2"] });
    expect((await inspect(output)).images).toMatchObject([{ names: ["r.lan/new:2"] }]);
  });

  test("convert() reads the archive - from the stream that it is given", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const [fromStream, fromFile] = [await out(), await out()];
    await convert("-", { output: fromStream, stdin: createReadStream(input) });
    await convert(input, { output: fromFile });
    expect(await readFile(fromStream)).toEqual(await readFile(fromFile));
  });

  test("convert() reports an absent platform of a kept index once, however often it plans", async () => {
    const [app, config] = [layerOf("app"), configOf([layerOf("app")])];
    const manifest = manifestOf(config, [app]);
    const absent = manifestOf(config, []);
    const index = indexOf([describeBlob(manifest, OCI_MANIFEST), describeBlob(absent, OCI_MANIFEST)]);
    const files = layoutFiles(
      [describeBlob(index, OCI_INDEX, annotated("r.lan/app:1"))],
      [index, manifest, config, app],
    );
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
    await convert(await fileWith(tarOf(files)), { output: await out(), sparse: "keep", layers: "raw", onProgress });
    expect(notes.filter(note => note.includes(absent.digest))).toHaveLength(1);
  });

  test("convert() plans only with dryRun", async () => {
    const output = await out();
    expect(await convert(await archive(), { output, layers: "gzip", dryRun: true })).toMatchObject({ blobs: 2 });
    expect(await readdir(join(output, ".."))).toEqual([]);
  });

  test("convert() of a compressed archive goes to a file, and to a stream it does not", async () => {
    const input = await fileWith(gzipSync(dockerArchive({ tags: ["app:1"], layers: [layer] })), "in.tar.gz");
    const [output, plain] = [await out(), await out()];
    await convert(input, { output });
    await convert(await archive(), { output: plain });
    expect((await readFile(output)).equals(await readFile(plain))).toBe(true);
    await expect(convert(input, { output: new PassThrough() })).rejects.toMatchObject({ exitCode: 2, hint: /file/ });
  });

  test("convert() leaves nothing when a layer is damaged, or when it is stopped", async () => {
    const output = await out();
    const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: [`sha256:${"1".repeat(64)}`] } });
    const input = await fileWith(dockerArchive({ tags: ["app:1"], layers: [layer], config }));
    await expect(convert(input, { output })).rejects.toMatchObject({ exitCode: 6 });
    const stop = new AbortController();
    const onProgress = ({ kind }: ProgressEvent): void => void (kind === "bytes" && stop.abort(new Error("stopped")));
    await expect(convert(await archive(), { output, signal: stop.signal, onProgress })).rejects.toThrow("stopped");
    expect(await readdir(join(output, ".."))).toEqual([]);
  });

  test.each([
    [{ format: "tar" }, 'Cannot use option format: found "tar", expected universal, oci or docker'],
    [{ layers: "lz4" }, 'Cannot use option layers: found "lz4", expected keep, gzip, zstd or raw'],
    [{ for: "rkt" }, 'Cannot use option for: found "rkt", expected docker20, docker, podman, ctr, k3s or kind'],
    [{ sparse: "maybe" }, 'Cannot use option sparse: found "maybe", expected prune, keep or fail'],
    [{ concurrency: 0 }, "Cannot use option concurrency: found 0, expected a whole number from 1 to 64"],
    [{ for: "docker", format: "oci" }, "needs manifest.json"],
    [{ platform: ["all", "linux/amd64"] }, '"all" is given next to other platforms'],
  ])("convert() refuses %j", async (options, message) => {
    const given = { output: await out(), ...options } as ConvertOptions;
    const failure = await convert(await archive(), given).catch(error => error);
    expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  test("convert() says which platforms there are when the one asked for is not", async () => {
    const input = fileURLToPath(new URL("../../../../fixtures/multi-platform-oci.tar", import.meta.url));
    const failure = await convert(input, { output: await out(), platform: ["linux/s390x"] }).catch(error => error);
    expect(failure).toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(
        /^Cannot convert sha256:\w+: no linux\/s390x image in it, expected one of linux\/amd64/,
      ),
    });
  });
});
