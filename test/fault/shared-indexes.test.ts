// Security case M-07: indexes that share their entries have paths without bound over a few manifests.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { convert, inspectArchive, push, type ServeOptions, serve, transferReport } from "../../src/index.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../../src/oci/annotations.ts";
import { type Descriptor, describeBytes } from "../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { temporaryFolder } from "../support/images.ts";

const LEVELS = 7;
/** 12^7 paths. */
const WIDTH = 12;

let folder: string;
let layout: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  layout = join(folder, "layout");
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const put = async (mediaType: string, document: object): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
    const descriptor = describeBytes(mediaType, bytes);
    await writeFile(join(layout, "blobs", descriptor.digest.replace(":", "/")), bytes);
    return descriptor;
  };
  const config = await put(OCI_CONFIG, {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [] },
  });
  const kinds = Array.from({ length: WIDTH }, (_, index) => ({ annotations: { index: String(index) } }));
  let level = await Promise.all(kinds.map(async kind => await put(OCI_MANIFEST, { config, layers: [], ...kind })));
  const about = { [ANNOTATION_REFERENCE_DIGEST]: level[0]?.digest };
  const attestation = {
    ...(await put(OCI_MANIFEST, { config, layers: [], annotations: { a: "b" } })),
    annotations: about,
  };
  for (let depth = 0; depth < LEVELS; depth += 1) {
    // Absent of each: what is listed of it must not grow either.
    const absent = { ...describeBytes(OCI_MANIFEST, Buffer.from(`absent ${depth}`)) };
    const manifests = [...level, absent, attestation];
    level = await Promise.all(kinds.map(async kind => await put(OCI_INDEX, { manifests, ...kind })));
  }
  const [top] = level;
  const named = { ...top, annotations: { "io.containerd.image.name": "registry.example/diamond:1" } };
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [named] };
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
});

test("each manifest is described once", async () => {
  const { images } = await inspectArchive(layout);
  expect(images.map(({ platforms }) => platforms.length)).toEqual([WIDTH + 1]);
  const { images: reported } = await transferReport([layout]);
  expect(reported.map(({ platforms }) => platforms.length)).toEqual([WIDTH]);
});

test.each(["universal", "docker"] as const)("it is written as %s", async format => {
  const output = join(folder, "out.tar");
  await convert(layout, { output, format, platform: "linux/amd64", sparse: "prune" });
  expect((await readFile(output)).length).toBeGreaterThan(0);
});

test("its pages are those of any image, from an archive and from a store", async () => {
  const archive = await started({ archives: layout });
  const store = await started({ store: join(folder, "store") });
  await push([layout], { registry: new URL(store).host, sparse: "prune" });
  for (const url of [archive, store]) {
    for (const path of ["/", "/report", "/index.json"]) {
      const answer = await fetch(new URL(path, url), { headers: { accept: "text/html" } });
      expect([url, path, answer.status]).toEqual([url, path, 200]);
      await answer.arrayBuffer();
    }
  }
});

/** @returns its URL */
async function started(options: ServeOptions): Promise<string> {
  const registry = await serve({ ...options, listen: "127.0.0.1:0" });
  onTestFinished(async () => await registry.close());
  return registry.url;
}
