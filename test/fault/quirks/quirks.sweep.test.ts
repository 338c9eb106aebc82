import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { push, type RegistryOptions } from "../../../src/index.ts";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../../support/images.ts";
import type { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";
import {
  blobOf,
  configOf,
  describe as describeBlob,
  layoutFiles,
  manifestOf,
} from "../../unit/archive/archive-builder.ts";
import { BIG, expectWhole, pullFrom, SMALL } from "../pull-support.ts";
import { HUGE_BYTES, ordered, ownTemporaryFolder, pushBytes, tarLayer } from "../push-once-support.ts";
import { BIG_LAYER, expectStored, SMALL_LAYER } from "../push-support.ts";
import { PERSONALITIES } from "./personalities.ts";
import type { Personality } from "./personality.ts";
import { QuirkRegistry, USER } from "./quirk-registry.ts";
import { type Column, quirkTable } from "./quirk-table.ts";

ownTemporaryFolder();

/** Goes out as it is, whole where that is taken. */
const GZIPPED = gzipSync(seededBytes("gzipped", 7 * 1024 * 1024), { level: 1 });
/** Its upload is kept for a later run. */
const LARGE = gzipSync(seededBytes("large", 17 * 1024 * 1024), { level: 1 });
const DOCUMENT = new URL("../../../docs/REGISTRIES.md", import.meta.url);
const TINY = tarLayer("tiny");
const HUGE = tarLayer("huge", HUGE_BYTES);

function login({ auth }: Personality): RegistryOptions {
  return auth === undefined ? {} : { auth: { username: USER.user, password: USER.password } };
}

function ociArchive(layer: Buffer): Uint8Array {
  const raw = blobOf(gunzipSync(layer));
  const config = configOf([raw]);
  const manifest = manifestOf(config, [blobOf(layer)]);
  const roots = [describeBlob(manifest, OCI_MANIFEST)];
  const files = Object.entries(layoutFiles(roots, [manifest, config, blobOf(layer)]));
  return tarArchive(files.map(([name, body]) => tarEntry({ name, body: body as string | Uint8Array })));
}

/** Made once for all registries. */
const MIDDLE_LAYERS = [BIG_LAYER, SMALL_LAYER, tarLayer("middle", 3_000_000)];
const FILES_ARCHIVE = dockerArchive({ tags: ["app:1"], layers: MIDDLE_LAYERS });
const PIPED_ARCHIVE = ordered([TINY, HUGE], [0, 1, "m"]);
const GZIPPED_ARCHIVE = ociArchive(GZIPPED);
const LARGE_ARCHIVE = ociArchive(LARGE);

function isLarge(range: string | undefined): boolean {
  return range === undefined || Number(/=(\d+)/.exec(range)?.[1]) < 500_000;
}

function expectNoComplaints(registry: QuirkRegistry): void {
  expect(registry.complaints()).toEqual([]);
  expect(sharedChunks.lentChunks).toBe(0);
}

function storedOf(front: ScriptedRegistry, name: string): readonly string[] {
  const manifest = front.content.manifests.get(name)?.bytes.toString() ?? "{}";
  return (JSON.parse(manifest) as { layers?: { digest: string }[] }).layers?.map(({ digest }) => digest) ?? [];
}

const results = new Map<string, Map<string, "yes" | "no">>();

/** One cell of the table. */
function cell({ name }: Personality, column: Column): void {
  const row = results.get(name) ?? new Map<string, "yes" | "no">();
  results.set(name, row.set(column, "no"));
  onTestFinished(({ task }) => void row.set(column, task.result?.state === "fail" ? "no" : "yes"));
}

describe.each(PERSONALITIES)("$name", personality => {
  test("push() of files puts every blob and the tag", async () => {
    cell(personality, "push files");
    const registry = await QuirkRegistry.start(personality);
    const { front } = registry;
    const archive = await fileWith(FILES_ARCHIVE);
    const result = await push([archive], { registry: { host: front.host, ...login(personality) } });
    expectStored({ registry: front, result, error: undefined }, MIDDLE_LAYERS);
    // Elsewhere, mounted where the registry can.
    await push([archive], { tag: [`${front.host}/other:1`], registry: login(personality) });
    expect(storedOf(front, "other:1")).toEqual(storedOf(front, "app:1"));
    expectNoComplaints(registry);
  });

  test("push() of a pipe puts every blob and the tag", async () => {
    cell(personality, "push a pipe");
    const registry = await QuirkRegistry.start(personality);
    const { front } = registry;
    const options = { tag: [`${front.host}/app:1`], registry: login(personality) };
    const pushed = await pushBytes(front, "pipe", PIPED_ARCHIVE, options);
    expectStored(pushed, [TINY, HUGE]);
    expectNoComplaints(registry);
  });

  test("push() of compressed layers sends them as they are", async () => {
    cell(personality, "push as it is");
    const registry = await QuirkRegistry.start(personality);
    const { front } = registry;
    const archive = await fileWith(GZIPPED_ARCHIVE);
    await push([archive], { tag: [`${front.host}/app:1`], registry: login(personality) });
    expect(storedOf(front, "app:1").map(digest => front.content.blobs.get(digest)?.equals(GZIPPED))).toEqual([true]);
    expectNoComplaints(registry);
  });

  test("push() of a large layer ends well in the run after one that broke off", async () => {
    cell(personality, "push large again");
    const registry = await QuirkRegistry.start(personality);
    const { front } = registry;
    const archive = await fileWith(LARGE_ARCHIVE);
    const cacheFolder = await temporaryFolder();
    const options = { tag: [`${front.host}/app:1`], cacheDir: cacheFolder, concurrency: 1 };
    front.addFault({ on: /^(PATCH|PUT) .*upload/, cut: "before" });
    await expect(
      push([archive], { ...options, registry: { ...login(personality), retry: { count: 0 } } }),
    ).rejects.toMatchObject({ exitCode: 7 });
    expect(front.content.manifests.size).toBe(0);
    await push([archive], { ...options, registry: login(personality) });
    expect(storedOf(front, "app:1").map(digest => front.content.blobs.get(digest)?.equals(LARGE))).toEqual([true]);
    expect(await readdir(join(cacheFolder, "uploads"))).toEqual([]);
    expectNoComplaints(registry);
  });

  test("pull() gets every byte", async () => {
    cell(personality, "pull");
    const registry = await QuirkRegistry.start(personality);
    await expectWhole(
      await pullFrom(registry.front, { layers: [BIG, SMALL], options: { registry: login(personality) } }),
    );
    expectNoComplaints(registry);
  });

  test("pull() goes on after a cut", async () => {
    cell(personality, "pull resumed");
    const registry = await QuirkRegistry.start(personality);
    const where = personality.storage === undefined ? registry.front : registry.storage;
    where.addFault({ on: /^GET .*\/blobs\//, when: ({ headers }) => isLarge(headers.range), cut: 1_500_000, times: 2 });
    where.addFault({ on: /^GET .*\/blobs\//, cut: 3000 });
    await expectWhole(
      await pullFrom(registry.front, { layers: [BIG, SMALL], options: { registry: login(personality) } }),
    );
    expectNoComplaints(registry);
  });
});

test("docs/REGISTRIES.md shows what these tests found", async () => {
  const table = quirkTable(PERSONALITIES, results);
  const text = await readFile(DOCUMENT, "utf8");
  if (process.env["IMGPACK_WRITE_QUIRKS"] !== undefined) {
    await writeFile(DOCUMENT, text.replace(/^\| registry \|(?:.*\n)+?(?=\n|$(?![\s\S]))/m, `${table.join("\n")}\n`));
  }
  // Only a run of all of them can tell.
  if (results.size === PERSONALITIES.length) expect(await readFile(DOCUMENT, "utf8")).toContain(table.join("\n"));
});
