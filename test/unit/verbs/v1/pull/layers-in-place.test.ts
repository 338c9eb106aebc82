// `pull v1://… -o FILE`: layers go to their places in the partial file before their digests are known.
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../../src/content/progress.ts";
import { pull } from "../../../../../src/verbs/pull.ts";
import type { PullOptions, PullResult } from "../../../../../src/verbs/pull-options.ts";
import { verify } from "../../../../../src/verbs/verify.ts";
import { seededBytes, temporaryFolder } from "../../../../support/images.ts";
import { filesTar } from "../../../../support/shape-archives-parts.ts";
import { idOf } from "../../../../support/v1/fill-v1.ts";
import { payloadChecksum, type V1StoredImage } from "../../../../support/v1/v1-content.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const KIB = 1024;
const DIGITS = "123456789abcdef";

interface Scene {
  readonly registry: V1Registry;
  readonly images: readonly V1StoredImage[];
  readonly notes: string[];
  readonly file: string;
  readonly path: (name: string) => string;
  readonly run: (changes?: Partial<PullOptions>) => Promise<PullResult>;
  readonly asked: (index: number) => number;
}

/** One image, library/app:latest, whose layers are these, the base first. */
async function scene(layers: readonly Uint8Array[]): Promise<Scene> {
  const registry = await V1Registry.start({ isReadOnly: true });
  const images = layers.map((layer, index) => {
    const parent = DIGITS[index - 1];
    return registry.content.addImage({
      id: idOf(DIGITS[index] ?? ""),
      layer,
      ...(parent === undefined ? {} : { parent: idOf(parent) }),
    });
  });
  registry.content.addTag("library/app", "latest", idOf(DIGITS[layers.length - 1] ?? ""));
  const folder = await temporaryFolder();
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === "note") notes.push(event.message);
  };
  const file = join(folder, "out.tar");
  return {
    registry,
    images,
    notes,
    file,
    path: name => join(folder, name),
    run: async changes => await pull([`v1://${registry.host}/app`], { output: file, onProgress, ...changes }),
    asked: index => registry.seen(new RegExp(`^GET .*/${idOf(DIGITS[index] ?? "")}/layer$`)).length,
  };
}

/** A tar with one file. */
function layer(seed: string, size: number): Buffer {
  return filesTar([[`file-${seed}`, seededBytes(seed, size)]]);
}

/** What the same pull writes to a stream, which has no places before all digests are known. */
async function streamed({ run }: Scene, changes: Partial<PullOptions> = {}): Promise<Buffer> {
  const parts: Buffer[] = [];
  const output = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(Buffer.from(part));
      done();
    },
  });
  await run({ ...changes, output });
  return Buffer.concat(parts);
}

/** A run that is stopped when it has read so many bytes of layers. */
async function stopAfter({ run }: Scene, bytes: number, changes: Partial<PullOptions> = {}): Promise<void> {
  const stop = new AbortController();
  let read = 0;
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === "bytes") read += event.delta;
    if (read >= bytes) stop.abort(new Error("stopped"));
  };
  await expect(run({ concurrency: 1, ...changes, signal: stop.signal, onProgress })).rejects.toThrow("stopped");
}

const LARGE = layer("large", 300 * KIB);
const EMPTY = Buffer.alloc(KIB);

describe("pull of v1 layers into a file", () => {
  test.each<[string, readonly Uint8Array[], (images: readonly V1StoredImage[]) => void, Partial<PullOptions>]>([
    ["raw ones", [LARGE, layer("b", 100 * KIB), EMPTY], () => undefined, {}],
    ["of several compressions", [gzipSync(LARGE), layer("b", 100 * KIB), gzipSync(EMPTY)], () => undefined, {}],
    ["equal ones", [LARGE, layer("b", 100 * KIB), LARGE, layer("c", 90 * KIB), EMPTY, EMPTY], () => undefined, {}],
    ["larger than the registry says", [LARGE, layer("b", 100 * KIB)], ([image]) => state(image, 70 * KIB), {}],
    ["smaller than the registry says", [LARGE, layer("b", 100 * KIB)], ([image]) => state(image, 900 * KIB), {}],
    ["of a size that no layer has", [LARGE, EMPTY], ([image]) => state(image, 999_999_999_999_999), {}],
    ["of unknown size", [LARGE, layer("b", 100 * KIB), EMPTY], ([image]) => state(image, null), {}],
    ["that become larger", [LARGE, layer("b", 100 * KIB)], () => undefined, { layers: "gzip" }],
    ["that become smaller", [Buffer.alloc(200 * KIB), layer("b", 100 * KIB)], () => undefined, { layers: "gzip" }],
    ["that are inflated", [gzipSync(LARGE), layer("b", 100 * KIB)], () => undefined, { layers: "raw" }],
  ])("gives the bytes of a stream, and asks for each layer once: layers %s", async (_what, layers, change, options) => {
    const made = await scene(layers);
    change(made.images);
    const { images } = await made.run(options);
    expect(images).toMatchObject([{ names: [`${made.registry.host}/app:latest`] }]);
    expect(images[0]).not.toHaveProperty("previousDigest");
    expect(layers.map((_, index) => made.asked(index))).toEqual(layers.map(() => 1));
    expect((await readFile(made.file)).equals(await streamed(made, options))).toBe(true);
    await expect(verify(made.file)).resolves.toMatchObject({ faults: [] });
  });

  test.each<[string, readonly (number | null)[]]>([
    ["no size for the first", [null, 65 * KIB]],
    ["no size for the second", [65 * KIB, null]],
    ["a smaller size for the first", [65 * KIB, 100 * KIB]],
    ["a smaller size for the second", [100 * KIB, 65 * KIB]],
  ])("asks once for equal layers that are larger than the registry states: %s", async (_what, stated) => {
    const made = await scene([LARGE, LARGE]);
    for (const [index, size] of stated.entries()) state(made.images[index], size);
    // The one that is said to be larger comes first.
    await made.run({ concurrency: 1 });
    expect([made.asked(0), made.asked(1)]).toEqual([1, 1]);
    expect((await readFile(made.file)).equals(await streamed(made))).toBe(true);
  });

  test("whatever the sizes, the equal layers and what the registry says of them", async () => {
    const piece = fc.record({
      kib: fc.constantFrom(1, 65, 66, 130, 1100),
      seed: fc.constantFrom("x", "y", "z"),
      stated: fc.constantFrom<"right" | null | number>("right", "right", "right", null, 65 * KIB, 2000 * KIB),
    });
    const property = fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async pieces => {
      const made = await scene(pieces.map(({ seed, kib }) => layer(seed, kib * KIB)));
      for (const [index, { stated }] of pieces.entries()) if (stated !== "right") state(made.images[index], stated);
      await made.run();
      const bytes = await readFile(made.file);
      expect(bytes.equals(await streamed(made))).toBe(true);
      expect(pieces.map((_, index) => made.asked(index))).toEqual(pieces.map(() => 2));
    });
    await fc.assert(property, { numRuns: 8 });
  });

  test("needs no temporary file", async () => {
    const made = await scene([LARGE, gzipSync(layer("b", 100 * KIB)), EMPTY]);
    await made.run();
    expect(made.notes.filter(note => /kept in/.test(note))).toEqual([]);
  });

  test("a byte that was flipped on the way is refused, and is not kept for the next run", async () => {
    const layers = [layer("a", 1200 * KIB), layer("b", 1100 * KIB)];
    const made = await scene(layers);
    const flip = (body: Buffer): Buffer => {
      const bytes = Buffer.from(body);
      bytes.writeUInt8(bytes.readUInt8(600_000) ^ 1, 600_000);
      return bytes;
    };
    made.registry.addFault({ on: new RegExp(`${idOf("1")}/layer$`), change: ({ body }) => ({ body: flip(body) }) });
    await expect(made.run({ concurrency: 1 })).rejects.toMatchObject({ exitCode: 6 });
    await made.run();
    expect((await readFile(made.file)).equals(await streamed(made))).toBe(true);
  });

  describe("after a run that was stopped", () => {
    const layers = [layer("a", 1200 * KIB), layer("b", 1800 * KIB), layer("c", 70 * KIB), EMPTY];

    test("a layer is continued where a checksum tells that the kept bytes are right", async () => {
      const made = await scene(layers);
      const whole = await streamed(made);
      await stopAfter(made, 1500 * KIB);
      made.registry.requests.length = 0;
      await made.run();
      expect((await readFile(made.file)).equals(whole)).toBe(true);
      const [, range] = made.registry.seen(new RegExp(`${idOf("2")}/layer$`)).map(({ headers }) => headers.range);
      expect(Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1])).toBeGreaterThanOrEqual(1024 * KIB);
    });

    test("a layer without such a checksum is read from its first byte", async () => {
      const made = await scene(layers);
      for (const image of made.images) image.checksums = ["tarsum.v1+sha256:abc"];
      const whole = await streamed(made);
      await stopAfter(made, 1500 * KIB);
      made.registry.requests.length = 0;
      await made.run();
      expect((await readFile(made.file)).equals(whole)).toBe(true);
      expect(made.registry.seen(/layer$/).map(({ headers }) => headers.range)).toEqual(layers.map(() => undefined));
    });

    test("a layer that was whole is not asked for again, with and without a cache", async () => {
      for (const cacheDir of [undefined, "cache"]) {
        const made = await scene(layers);
        const options = cacheDir === undefined ? {} : { cacheDir: made.path(cacheDir) };
        await stopAfter(made, 2500 * KIB, options);
        await made.run(options);
        expect((await readFile(made.file)).equals(await streamed(made))).toBe(true);
        expect(made.asked(1)).toBe(2);
      }
    });

    test("kept bytes that changed on the disk are read again, and do not get into the archive", async () => {
      const made = await scene(layers);
      const whole = await streamed(made);
      await stopAfter(made, 1500 * KIB);
      const partial = await open(`${made.file}.partial`, "r+");
      const { size } = await partial.stat();
      for (let at = 64 * KIB; at < size; at += 256 * KIB) await partial.write(Buffer.from("rot"), 0, 3, at);
      await partial.close();
      await made.run();
      expect((await readFile(made.file)).equals(whole)).toBe(true);
    });

    test("kept bytes of a layer that changed on the disk do not count because this run has read an equal one", async () => {
      const made = await scene([layer("a", 1200 * KIB), layer("a", 1200 * KIB)]);
      const whole = await streamed(made);
      const options = { cacheDir: made.path("cache") };
      await stopAfter(made, 1800 * KIB, options);
      const partial = await open(`${made.file}.partial`, "r+");
      await partial.write(Buffer.from("rot"), 0, 3, 600 * KIB);
      await partial.close();
      await made.run(options);
      expect((await readFile(made.file)).equals(whole)).toBe(true);
    });

    test("a layer that was replaced meanwhile is another layer", async () => {
      const made = await scene(layers);
      await stopAfter(made, 2500 * KIB);
      const [, image] = made.images;
      if (image === undefined) throw new Error("no image");
      image.layer = layer("other", 1800 * KIB);
      image.checksums = [payloadChecksum(image.json, image.layer)];
      await made.run();
      expect((await readFile(made.file)).equals(await streamed(made))).toBe(true);
    });
  });
});

function state(image: V1StoredImage | undefined, size: number | null): void {
  if (image !== undefined) image.statedSize = size;
}
