// How often the bytes of large layers are hashed, read and written, by counts: time depends on the machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import { convert, copyTo, doctor, pull, push, verify } from "../../src/index.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type RunningRegistry, serveRegistry } from "../../src/serve/server.ts";
import { type ByteCounts, countBytes } from "../support/count-bytes.ts";
import { sparseName, writeSparseArchive } from "../support/synthetic/sparse-archive.ts";
import { type RunningSynthetic, startSynthetic } from "../support/synthetic/start-synthetic.ts";

const MIB = 1024 * 1024;
/** Large enough for another thread to hash them, where that is what imgpack does. */
const LAYER_BYTES = 17 * MIB;
const LAYERS = 2;
const TOTAL = LAYERS * LAYER_BYTES;

let folder = "";
const paths = { raw: "", rawDocker: "", gzip: "", gzipDocker: "" };
/** Its layers are zeros that it does not hold. */
let zeros: RunningSynthetic;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-test-"));
  for (const name of ["raw", "rawDocker", "gzip", "gzipDocker"] as const) paths[name] = join(folder, `${name}.tar`);
  await writeSparseArchive(paths.raw, { images: 1, baseLayers: 0, ownLayers: LAYERS, layerBytes: LAYER_BYTES });
  zeros = await startSynthetic({ layers: LAYERS, layerKind: "zeros", layerBytes: LAYER_BYTES });
  // Compressed, and no smaller.
  const stored = await startSynthetic({ layers: LAYERS, layerBytes: LAYER_BYTES });
  await pull([imageOf(stored)], { output: paths.gzip });
  await stored.close();
  for (const name of ["raw", "gzip"] as const)
    await convert(paths[name], { output: paths[`${name}Docker`], format: "docker" });
  zeros.registry.images.image(0);
  return async () => {
    await zeros.close();
    await rm(folder, { recursive: true, force: true });
  };
});

const imageOf = ({ host, registry }: RunningSynthetic): string => `${host}/${[...registry.images.names()][0]}`;

/** How often each byte of the layers passes. What the synthetic registry hashes of an upload is not imgpack's work. */
async function passesOf(task: () => Promise<unknown>): Promise<ByteCounts> {
  const before = zeros.counts.sent;
  const { hashed, read, written } = await countBytes(task);
  const sent = zeros.counts.sent - before;
  const times = (bytes: number): number => Math.round((bytes / TOTAL) * 10) / 10;
  return { hashed: times(hashed - sent), read: times(read), written: times(written) };
}

let outputs = 0;
const output = (): string => join(folder, `out-${outputs++}.tar`);
const to = (): { readonly to: string } => ({ to: `${zeros.host}/to-${outputs++}` });
const right = async (path: string, diffIds = false): Promise<void> =>
  expect((await verify(path, { diffIds })).faults).toEqual([]);

describe("each byte of a large layer passes as often as it must", () => {
  const works: Readonly<
    Record<string, readonly [hashed: number, read: number, written: number, () => Promise<unknown>]>
  > = {
    // Its digest.
    verify: [1, 1, 0, async () => await right(paths.raw)],
    "verify of gzip": [1, 1, 0, async () => await right(paths.gzip)],
    doctor: [1, 1, 0, async () => await doctor(paths.raw)],
    "verify of an archive of docker": [1, 1, 0, async () => await right(paths.rawDocker)],
    // Its digest, which only its bytes say; and, with what it inflates to, once more.
    "verify of an archive of docker, gzip": [3, 2, 0, async () => await right(paths.gzipDocker)],
    // And its pieces; the content is another reading.
    "verify --diff-ids": [3, 2, 0, async () => await right(paths.raw, true)],
    // Its digest, and its pieces for the sums.
    convert: [2, 1, 1, async () => await convert(paths.raw, { output: output() })],
    "convert of gzip": [2, 1, 1, async () => await convert(paths.gzip, { output: output() })],
    pull: [2, 0, 1, async () => await pull([imageOf(zeros)], { output: output() })],
    "pull to a stream": [2, 0, 0, async () => await pull([imageOf(zeros)], { output: new PassThrough().resume() })],
    // And the sum of the file, which is read again.
    "convert to volumes": [3, 2, 1, async () => await convert(paths.raw, { output: output(), volumeSize: "20M" })],
    // What is compressed is next to nothing.
    push: [1, 1, 0, async () => await push([paths.raw], to())],
    "push as it is": [1, 1, 0, async () => await push([paths.raw], { ...to(), compression: "keep" })],
    "push of gzip": [1, 1, 0, async () => await push([paths.gzip], to())],
    copy: [1, 0, 0, async () => await copyTo([imageOf(zeros)], to().to)],
  };
  test.each(Object.entries(works))("%s", async (_, [hashed, read, written, work]) => {
    expect(await passesOf(work)).toEqual({ hashed, read, written });
  });
});

describe("a server", () => {
  async function pullAll({ url }: RunningRegistry): Promise<void> {
    const base = `${url}/v2/${sparseName(0).replace(":1.0", "")}`;
    const manifest = await (await fetch(`${base}/manifests/1.0`)).text();
    const { layers }: { readonly layers: readonly Descriptor[] } = JSON.parse(manifest);
    for (const { digest, size } of layers)
      expect((await (await fetch(`${base}/blobs/${digest}`)).arrayBuffer()).byteLength).toBe(size);
  }

  test("hashes each byte of a large layer twice for the first pull, its digest and its pieces, and then never again", async () => {
    await using registry = await serveRegistry({ archives: paths.raw, listen: "127.0.0.1:0" });
    // Hashed first, and then sent.
    expect(await passesOf(async () => await pullAll(registry))).toEqual({ hashed: 2, read: 2, written: 0 });
    expect(await passesOf(async () => await pullAll(registry))).toEqual({ hashed: 0, read: 1, written: 0 });
  });
});
