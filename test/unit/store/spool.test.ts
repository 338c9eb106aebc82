import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, expect, test, vi } from "vitest";
import { readBlob } from "../../../src/content/pump.ts";
import { DOCKER_LAYER } from "../../../src/oci/media-types.ts";
import { openArchive } from "../../../src/store/archive-source.ts";
import { configOf, dockerManifest, layerOf, makeFolder, refusal, tarOf } from "./archive-builder.ts";

const space = vi.hoisted(() => ({ freeBytes: undefined as number | undefined }));
vi.mock("node:fs/promises", async original => {
  const real = await original<typeof import("node:fs/promises")>();
  const statfs = async (path: string): Promise<object> =>
    space.freeBytes === undefined ? await real.statfs(path) : { bavail: space.freeBytes, bsize: 1 };
  return { ...real, statfs };
});

const layer = layerOf("content");
const config = configOf([layer]);
const tar = tarOf({
  "c.json": config.bytes,
  "layer.tar": layer.bytes,
  ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["layer.tar"] }),
});

let temporary = "";
let path = "";
beforeEach(async () => {
  temporary = await makeFolder();
  path = join(await makeFolder(), "app.bin");
  vi.stubEnv("TMPDIR", temporary);
  return () => {
    vi.unstubAllEnvs();
    space.freeBytes = undefined;
  };
});

/** Files in the temporary folder, with and without a name. Only Linux shows the latter. */
async function temporaryFiles(): Promise<readonly string[]> {
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  const open = await Promise.all(descriptors.map(async fd => await readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return [...(await readdir(temporary)), ...open.filter(target => target.startsWith(`${temporary}/`))];
}

test("spoolGzip() says where it unpacks and how much, and its file has no name while it is open", async () => {
  await writeFile(path, gzipSync(tar));
  const notes: string[] = [];
  await using archive = await openArchive(path, { onNote: note => notes.push(note) });
  expect(await readdir(temporary)).toEqual([]);
  expect(archive.archive.compression).toBe("gzip");
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain(`to a temporary file in "${temporary}": about ${(tar.length / 1024).toFixed(1)} KiB`);
  const described = { mediaType: DOCKER_LAYER, digest: layer.digest, size: layer.bytes.length };
  expect(await readBlob(await archive.blob(described), 10_000)).toEqual(layer.bytes);
});

test("spoolGzip() reads a file of several members", async () => {
  const middle = Math.floor(tar.length / 2);
  await writeFile(path, Buffer.concat([gzipSync(tar.subarray(0, middle)), gzipSync(tar.subarray(middle))]));
  await using archive = await openArchive(path);
  expect(archive.images).toHaveLength(1);
});

test("spoolGzip() refuses before the first byte when the space does not suffice", async () => {
  await writeFile(path, gzipSync(tar));
  space.freeBytes = tar.length - 1;
  const notes: string[] = [];
  const error = await refusal(openArchive(path, { onNote: note => notes.push(note) }));
  const [found, expected] = [`${((tar.length - 1) / 1024).toFixed(1)} KiB`, `${(tar.length / 1024).toFixed(1)} KiB`];
  expect(error).toMatchObject({ exitCode: 9, message: expect.stringContaining(`${found} free, expected ${expected}`) });
  expect(notes).toEqual([]);
  expect(await temporaryFiles()).toEqual([]);
});

for (const [title, change, reason] of [
  ["cut", (bytes: Buffer) => bytes.subarray(0, -12), "truncated-gzip"],
  ["damaged", (bytes: Buffer) => Buffer.from(bytes).fill(0xff, 40, 60), "damaged-gzip"],
] as const) {
  test(`spoolGzip() refuses ${title} data and leaves nothing behind`, async () => {
    await writeFile(path, change(gzipSync(tar)));
    expect(await refusal(openArchive(path))).toMatchObject({ exitCode: 3, reason });
    expect(await temporaryFiles()).toEqual([]);
  });
}

test("spoolGzip() names a temporary folder that is not there", async () => {
  vi.stubEnv("TMPDIR", join(temporary, "gone"));
  await writeFile(path, gzipSync(tar));
  const error = await refusal(openArchive(path));
  expect(error).toMatchObject({ exitCode: 9, message: expect.stringContaining('gone": no such folder, expected') });
  expect(error.hint).toContain("TMPDIR");
});
