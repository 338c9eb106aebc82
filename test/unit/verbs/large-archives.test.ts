// What work with large archives grows with, by counts: time depends on the machine.
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { serveRegistry } from "../../../src/serve/server.ts";
import { doctor } from "../../../src/verbs/doctor/doctor.ts";
import { inspectArchive, listArchive } from "../../../src/verbs/inspect.ts";
import { push } from "../../../src/verbs/push/push.ts";
import { transferReport } from "../../../src/verbs/reporting/transfer-report.ts";
import { verify } from "../../../src/verbs/verify.ts";
import {
  fewBlobs,
  largeLayers,
  manyBlobs,
  sparseName,
  writeSparseArchive,
} from "../../support/synthetic/sparse-archive.ts";

const MIB = 1024 * 1024;

interface Counts {
  readonly reads: number;
  readonly bytes: number;
  readonly parses: number;
}

let folder = "";
let readable: { readonly read: (...args: readonly unknown[]) => Promise<{ readonly bytesRead: number }> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-test-"));
  await using handle = await open(import.meta.filename);
  readable = Object.getPrototypeOf(handle) as typeof readable;
});

afterEach(() => vi.restoreAllMocks());
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Reads of files, their bytes, and documents that are parsed. */
async function counted(work: () => Promise<unknown>): Promise<Counts> {
  const { read } = readable;
  let bytes = 0;
  const reads = vi.spyOn(readable, "read").mockImplementation(async function (this: unknown, ...args) {
    const result = await read.apply(this as typeof readable, args);
    bytes += result.bytesRead;
    return result;
  });
  const parses = vi.spyOn(JSON, "parse");
  await work();
  const counts = { reads: reads.mock.calls.length, bytes, parses: parses.mock.calls.length };
  vi.restoreAllMocks();
  return counts;
}

/** What a server does for its first page, or for one pull. */
async function served(path: string, ask: string): Promise<string> {
  await using registry = await serveRegistry({ archives: path, listen: "127.0.0.1:0" });
  const response = await fetch(`${registry.url}${ask}`);
  expect(response.status).toBe(200);
  return await response.text();
}

const manifestPath = (image: number): string => `/v2/${sparseName(image).replace(":1.0", "/manifests/1.0")}`;

describe("an archive of 100 GB", () => {
  let path = "";
  beforeAll(async () => {
    path = join(folder, "large.tar");
    const { bytes } = await writeSparseArchive(path, largeLayers(100));
    expect(bytes).toBeGreaterThan(100e9);
  });

  const works: Readonly<Record<string, () => Promise<unknown>>> = {
    "is listed": async () => expect((await listArchive(path))?.images).toHaveLength(100),
    "is inspected": async () => expect((await inspectArchive(path)).images).toHaveLength(100),
    "is diagnosed": async () => expect((await doctor(path, { quick: true })).images).toHaveLength(100),
    "is planned for a push": async () =>
      expect((await push([path], { to: "127.0.0.1:9", dryRun: true })).images).toHaveLength(100),
    "is served": async () => expect(await served(path, manifestPath(7))).toContain("config"),
    "has a page": async () => expect(await served(path, "/")).toContain("app-00007"),
  };
  test.each(Object.entries(works))("%s by the headers and documents in it alone", async (_, work) => {
    const { reads, bytes } = await counted(work);
    // A header of each of 1,200 entries, of those after a large body with what is next to it.
    expect(bytes).toBeLessThan(16 * MIB);
    expect(reads).toBeLessThan(6000);
  });
});

describe("twice as many images take no more than twice as much", () => {
  const [few, many] = [50, 100];
  const paths = { few: "", many: "" };
  beforeAll(async () => {
    for (const [name, images] of [
      ["few", few],
      ["many", many],
    ] as const) {
      paths[name] = join(folder, `${name}.tar`);
      await writeSparseArchive(paths[name], fewBlobs(images));
    }
  });

  const works: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    listArchive: async path => await listArchive(path),
    inspectArchive: async path => await inspectArchive(path),
    verify: async path => expect((await verify(path)).faults).toEqual([]),
    doctor: async path => await doctor(path),
    transferReport: async path => await transferReport(path),
    "push --dry-run": async path => await push([path], { to: "127.0.0.1:9", dryRun: true }),
    "the first manifest of a server": async path => await served(path, manifestPath(7)),
    "the first page of a server": async path => await served(path, "/"),
  };
  test.each(Object.entries(works))("%s", async (_, work) => {
    // Modules of Node are read, too.
    await work(paths.few);
    const [one, two] = [
      await counted(async () => await work(paths.few)),
      await counted(async () => await work(paths.many)),
    ];
    for (const what of ["reads", "bytes", "parses"] as const) expect(two[what]).toBeLessThan(2.2 * one[what] + 20);
    // Of each image: its manifest and config, a few times each.
    expect(two.parses).toBeLessThan(12 * many);
    expect(two.reads).toBeLessThan(15 * many);
  });
});

describe("the manifests of a large archive", () => {
  const sizes = [600, 1200];
  const paths = sizes.map(() => "");
  beforeAll(async () => {
    for (const [at, images] of sizes.entries()) {
      paths[at] = join(folder, `images-${images}.tar`);
      await writeSparseArchive(paths[at] ?? "", fewBlobs(images));
    }
  });

  const started = async (path: string): Promise<void> =>
    await (await serveRegistry({ archives: path, listen: "127.0.0.1:0" })).close();

  test("are not read for the start of a server", async () => {
    for (const path of paths) {
      await started(path);
      const { parses, reads } = await counted(async () => await started(path));
      // index.json and manifest.json; the lock is read, and parsed when it is first needed.
      expect(parses).toBeLessThan(10);
      expect(reads).toBeLessThan(60);
    }
  });

  test("are parsed for the first pull as far as that needs them", async () => {
    for (const path of paths) {
      const { parses, reads } = await counted(async () => await served(path, manifestPath(7)));
      expect(parses).toBeLessThan(30);
      expect(reads).toBeLessThan(80);
    }
  });
});

test("an archive of small blobs is indexed in steps of a megabyte, and not in one for each blob", async () => {
  const path = join(folder, "blobs.tar");
  const { bytes, blobs } = await writeSparseArchive(path, manyBlobs(100));
  await listArchive(path);
  const { reads } = await counted(async () => await listArchive(path));
  expect(blobs).toBeGreaterThan(1900);
  expect(reads).toBeLessThan(bytes / MIB + 60);
});
