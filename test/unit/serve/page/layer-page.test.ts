import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Descriptor, describeBytes } from "../../../../src/oci/descriptor.ts";
import { OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { gapSentence } from "../../../../src/serve/page/views/layer/layer-words.ts";
import { tarArchive, tarEntry } from "../../../support/tar-builder.ts";
import { fetchJson, fetchPage, MemoryServed, memorySite } from "./memory-served.ts";

interface LayerJson {
  readonly digest: string;
  readonly image: string;
  readonly layer: number;
  readonly of: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly page: number;
  readonly pages: number;
  readonly entries: readonly { readonly path: string }[];
}

const NAME = "registry.example/team/app";

/** A layer with that many files, in an image of two layers. */
function served(files: number): { readonly registry: MemoryServed; readonly layer: Descriptor; readonly url: string } {
  const registry = new MemoryServed();
  const names = Array.from({ length: files }, (_, index) => `srv/${String(index).padStart(5, "0")}`);
  const bytes = gzipSync(tarArchive(names.map(name => tarEntry({ name, body: "x" }))), { level: 1 });
  const layer = describeBytes(OCI_LAYER_GZIP, bytes);
  registry.contents.set(layer.digest, bytes);
  registry.image(NAME, "1.0", { layers: [registry.layer("base", 1000), layer] });
  registry.image("registry.example/team/other", "1.0");
  return { registry, layer, url: `/layer/${layer.digest}?in=${NAME}:1.0` };
}

describe("GET /layer/DIGEST", () => {
  test("lists the files, as a page and as JSON", async () => {
    const { registry, layer, url } = served(3);
    const site = memorySite(registry);
    const { status, text } = await fetchPage(site, url);
    expect(status).toBe(200);
    expect(text).toContain("<h1>Layer 2 of 2</h1>");
    expect(text).toContain("/srv/00002");
    expect(await fetchJson<LayerJson>(site, url)).toMatchObject({
      digest: layer.digest,
      image: `${NAME}:1.0`,
      layer: 2,
      of: 2,
      counts: { all: 3, files: 3, folders: 0, deletions: 0 },
      page: 1,
      pages: 1,
      entries: [{ path: "/srv/00000" }, { path: "/srv/00001" }, { path: "/srv/00002" }],
    });
  });

  test.each([
    ["an image without it", `in=registry.example/team/other:1.0`, undefined, 404, "BLOB_UNKNOWN"],
    ["an unknown image", "in=registry.example/team/none:1.0", undefined, 404, "MANIFEST_UNKNOWN"],
    ["no image", "", undefined, 404, "MANIFEST_UNKNOWN"],
    ["a layer that is nowhere", `in=${NAME}:1.0`, `sha256:${"0".repeat(64)}`, 404, "BLOB_UNKNOWN"],
    ["what is no digest", `in=${NAME}:1.0`, "../../etc/passwd", 404, "BLOB_UNKNOWN"],
  ])("is 404 through %s, for people and programs", async (_, query, digest, status, code) => {
    const { registry, layer } = served(1);
    const site = memorySite(registry);
    const url = `/layer/${digest ?? layer.digest}?${query}`;
    const opened: string[] = [];
    const openBlob = registry.openBlob.bind(registry);
    registry.openBlob = async blob => {
      opened.push(blob.digest);
      return await openBlob(blob);
    };
    const page = await fetchPage(site, url).catch((error: unknown) => error);
    expect(page).toMatchObject({ status, headers: { "cache-control": "no-store" } });
    const answer = await fetchPage(site, url, { accept: "*/*" }).catch((error: unknown) => error);
    expect(answer).toMatchObject({ status });
    expect(JSON.stringify(answer)).toContain(code);
    expect(opened).not.toContain(layer.digest);
  });

  test("has 500 entries on a page", async () => {
    const { registry, url } = served(1203);
    const site = memorySite(registry);
    for (const [page, first, count] of [
      [1, "/srv/00000", 500],
      [2, "/srv/00500", 500],
      [3, "/srv/01000", 203],
    ] as const) {
      const found = await fetchJson<LayerJson>(site, `${url}&page=${page}`);
      expect([found.page, found.pages, found.entries.length, found.entries[0]?.path]).toEqual([page, 3, count, first]);
    }
    const { status, text } = await fetchPage(site, `${url}&page=4`);
    expect(status).toBe(404);
    expect(text).toMatch(/<a href="[^"]*page=3">Go to the last one<\/a>/);
    expect((await fetchPage(site, `${url}&q=0120&page=2`)).status).toBe(404);
    expect((await fetchJson<LayerJson>(site, `${url}&q=0120`)).entries.map(({ path }) => path)).toEqual([
      "/srv/00120",
      "/srv/01200",
      "/srv/01201",
      "/srv/01202",
    ]);
  });

  test("says of a layer that is not here what is known of it", async () => {
    const { registry, layer, url } = served(1);
    registry.contents.delete(layer.digest);
    registry
      .at(NAME)
      .lacks.set(layer.digest, { kind: "volume", found: "volume 2 of bundle 1 is missing", hint: "Start with all." });
    const { status, text, headers } = await fetchPage(memorySite(registry), url);
    expect([status, headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(text).toContain("Volume 2 of bundle 1 is missing. Start with all.");
    expect(text).toContain("This layer is not here");
  });
});

test.each([
  [{ kind: "too-slow" }, true],
  [{ kind: "too-large" }, true],
  [{ kind: "too-many" }, false],
  [{ kind: "malformed", found: "x" }, false],
] as const)("a list that ends because of %j says that the layer was not checked to its end: %s", (gap, isSaid) => {
  const counts = { all: 1, files: 1, folders: 0, deletions: 0 };
  const sentence = gapSentence({ entries: [], counts, unpackedBytes: 1, largest: [], gap })?.toString() ?? "";
  expect(sentence.includes("was not checked to its end")).toBe(isSaid);
});

describe("GET /compare of two images", () => {
  test("says what the other needs, as a page and as JSON", async () => {
    const registry = new MemoryServed();
    const base = registry.layer("base", 3_000_000);
    registry.image(NAME, "1.0", { layers: [base, registry.layer("old", 1_000_000)] });
    registry.image(NAME, "1.1", { layers: [base, registry.layer("new", 2_000_000)] });
    const site = memorySite(registry);
    const url = `/compare?a=${NAME}:1.0&b=${NAME}:1.1`;
    const { status, text } = await fetchPage(site, url);
    expect(status).toBe(200);
    expect(text).toMatch(
      /A place that has A needs <strong>1\.9\sMiB<\/strong> more to get B: 1 layer is new, 1 is the same\./,
    );
    expect(await fetchJson(site, url)).toMatchObject({
      a: { name: `${NAME}:1.0`, platform: "linux/amd64" },
      b: { name: `${NAME}:1.1`, platform: "linux/amd64" },
      bytes: { onlyA: 1_000_000, both: 3_000_000, onlyB: 2_000_000 },
    });
  });

  test.each([
    [`a=${NAME}:9&b=${NAME}:1.0`, 404],
    [`a=${NAME}:1.0&b=${NAME}:9`, 404],
    [`a=0123456789ab&b=${NAME}:1.0`, 404],
    [`a=${NAME}:1.0`, 200],
    [`a=${NAME}:1.0&b=${NAME}:1.0&platform=none`, 200],
    ["", 200],
  ])("?%s is %d", async (query, status) => {
    const { registry } = served(1);
    const site = memorySite(registry);
    for (const accept of ["text/html", "*/*"])
      expect((await fetchPage(site, `/compare?${query}`, { accept })).status).toBe(status);
  });
});

test.each(["/compare", "/layer"])("HEAD of %s has the status and the headers of GET", async path => {
  const { registry, url } = served(2);
  const site = memorySite(registry);
  for (const each of path === "/layer" ? [url, `${url}&page=2`] : [`/compare`, `/compare?a=none&b=none`]) {
    const [get, head] = [await fetchPage(site, each), await fetchPage(site, each, { method: "HEAD" })];
    expect([head.status, head.headers]).toEqual([get.status, get.headers]);
  }
});
