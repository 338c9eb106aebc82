import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Digest } from "../../../../src/oci/digest.ts";
import { ArchiveRegistry } from "../../../../src/serve/archives/archive-registry.ts";
import type { PageSite } from "../../../../src/serve/page/page-site.ts";
import { fileWith } from "../../../support/images.ts";
import { layoutArchive } from "../../../support/layout-archives.ts";
import { type Scene, type SceneImage, sceneOf } from "../../../support/pages/page-content.ts";
import { sceneArchive, sceneDelta, sceneVolumes } from "../../../support/pages/scene-archive.ts";
import { fetchJson, fetchPage, memorySite } from "./memory-served.ts";

interface ComparedJson {
  readonly a: { readonly id: Digest | null; readonly files: readonly string[] };
  readonly b: { readonly id: Digest | null; readonly files: readonly string[] };
  readonly bytes: { readonly onlyA: number; readonly both: number; readonly onlyB: number };
  readonly counts: Readonly<Record<string, number>>;
  readonly page: number;
  readonly pages: number;
  readonly images: readonly { readonly name: string; readonly state: string; readonly digest?: Digest }[];
}

interface ChosenJson {
  readonly bundles: readonly { readonly id: Digest | null; readonly files: readonly string[] }[];
}

const APP = "registry.example/team/app";

function image(repository: string, tag: string, steps: readonly string[]): SceneImage {
  return { repository, tag, steps: steps.map(by => ({ by, size: 1000 })) };
}

const BASE_IMAGES = [
  image(APP, "1.0", ["ADD root", "COPY old"]),
  image("hub.example/web", "1", ["ADD root", "COPY web"]),
];
const NEXT_IMAGES = [
  image(APP, "1.1", ["ADD root", "COPY new"]),
  image("hub.example/web", "1", ["ADD root", "COPY web"]),
];

async function siteOf(files: readonly Uint8Array[], names: readonly string[] = []): Promise<PageSite> {
  const paths: string[] = [];
  for (const [index, bytes] of files.entries()) paths.push(await fileWith(bytes, names[index]));
  const registry = await ArchiveRegistry.open(paths, { onDamage: () => undefined });
  onTestFinished(async () => await registry[Symbol.asyncDispose]());
  return memorySite(registry);
}

async function bundlesOf(site: PageSite): Promise<ChosenJson["bundles"]> {
  return (await fetchJson<ChosenJson>(site, "/compare")).bundles;
}

describe("a delta and its base", () => {
  let base: Scene;
  let next: Scene;
  let site: PageSite;
  let ids: readonly string[];
  beforeEach(async () => {
    base = sceneOf(BASE_IMAGES, true);
    next = sceneOf(NEXT_IMAGES, true);
    site = await siteOf([sceneDelta(next, base), sceneArchive(base)], ["delta.tar", "base.tar"]);
    ids = (await bundlesOf(site)).map(({ id }) => id ?? "");
  });

  test("are two bundles, each with its own lock", async () => {
    expect(await bundlesOf(site)).toEqual([
      { id: expect.stringMatching(/^sha256:/), files: ["delta.tar"] },
      { id: base.lock.id, files: ["base.tar"] },
    ]);
  });

  test("are compared by id, by 12 digits of it, and by file, with the same result", async () => {
    const [deltaId = "", baseId = ""] = ids;
    const sizeOf = (scene: Scene, other: Scene | undefined, has: boolean): number =>
      [...scene.blobs]
        .filter(([digest]) => other?.blobs.has(digest) === has)
        .reduce((sum, [, { size }]) => sum + size, 0);
    for (const [a, b] of [
      [baseId, deltaId],
      [baseId.slice(7, 19), deltaId.slice(7, 19)],
      ["base.tar", "delta.tar"],
    ]) {
      const found = await fetchJson<ComparedJson>(site, `/compare?a=${a}&b=${b}`);
      expect([found.a.id, found.b.id]).toEqual([baseId, deltaId]);
      expect(found.bytes).toEqual({
        onlyA: sizeOf(base, next, false),
        both: sizeOf(next, base, true),
        onlyB: sizeOf(next, base, false),
      });
      expect(found.images.map(({ name, state }) => `${state} ${name}`)).toEqual([
        `new ${APP}:1.1`,
        `gone ${APP}:1.0`,
        "unchanged hub.example/web:1",
      ]);
    }
  });

  test("in words: what is needed, one bar, and images by what became of them", async () => {
    const { status, text } = await fetchPage(site, "/compare?a=base.tar&b=delta.tar");
    expect(status).toBe(200);
    const { bytes } = await fetchJson<ComparedJson>(site, "/compare?a=base.tar&b=delta.tar");
    expect(bytes.onlyB).toBeGreaterThan(0);
    expect(text).toMatch(
      /A place that has A needs <strong>[\d.\u202f]+\u00a0(bytes|KiB)<\/strong> more to get B\. 1 image is new, 0 changed, 1 unchanged, 1 is no longer in B\./,
    );
    expect(text.match(/<svg class="bar" height="18"/g)).toHaveLength(1);
    const groups = [...text.matchAll(/scope="rowgroup" colspan="5">([^<]*) </g)].map(([, group]) => group);
    expect(groups).toEqual(["New in B", "No longer in B", "Unchanged"]);
    expect(text).toContain(`href="/image/${APP}:1.1"`);
    expect(text).toContain("Nothing is deleted on the far side.");
    expect(text).toContain(`<option value="${base.lock.id.slice(7, 19)}" label="bundle in base.tar">`);
  });

  test("the list of images has a link that compares them", async () => {
    const [deltaId = "", baseId = ""] = ids.map(id => id.slice(7, 19));
    const { text } = await fetchPage(site, "/");
    expect(text).toContain(`is a delta: its base is`);
    const [, link = ""] = /<a href="([^"]*)">Compare it with its base</.exec(text) ?? [];
    expect(link).toBe(`/compare?a=${baseId}&amp;b=${deltaId}`);
    expect((await fetchPage(site, link.replace("&amp;", "&"))).status).toBe(200);
  });

  test("from B to A as well", async () => {
    const { images, counts } = await fetchJson<ComparedJson>(site, "/compare?a=delta.tar&b=base.tar");
    expect(counts).toEqual({ new: 1, changed: 0, unchanged: 1, gone: 1 });
    expect(images[0]).toMatchObject({ name: `${APP}:1.0`, state: "new" });
  });

  test("a tag that moved is changed", async () => {
    const moved = sceneOf([image(APP, "1.0", ["ADD root", "COPY new"])], true);
    const both = await siteOf([sceneDelta(moved, base), sceneArchive(base)], ["delta.tar", "base.tar"]);
    const { images } = await fetchJson<ComparedJson>(both, "/compare?a=base.tar&b=delta.tar");
    const [was, now] = [base, moved].map(scene => scene.lock.images.find(({ name }) => name === `${APP}:1.0`)?.digest);
    expect(images[0]).toMatchObject({ name: `${APP}:1.0`, state: "changed", digest: now, was: [{ digest: was }] });
  });

  test("alone, a delta says that its base is not served, and what to do", async () => {
    const alone = await siteOf([sceneDelta(next, base)]);
    expect((await fetchPage(alone, "/")).text).toMatch(/It is a delta: its base is .*, which is not served here\./);
    const chosen = await fetchPage(alone, "/compare");
    expect(chosen.text).toContain("start imgpack serve with the files of the base, too");
    const answer = await fetchPage(alone, `/compare?a=${base.lock.id}&b=${ids[0]}`);
    expect(answer.status).toBe(404);
    expect(answer.text).toContain("start imgpack serve with the files of the base, too");
  });
});

describe("bundles that are served together", () => {
  test("volumes of one are one bundle", async () => {
    const scene = sceneOf(BASE_IMAGES, true);
    const other = sceneOf([image("hub.example/db", "1", ["ADD db"])], true);
    const second = [...scene.blobs.keys()].slice(-1).map(digest => [digest, 2] as const);
    const site = await siteOf(
      [...sceneVolumes(scene, 2, new Map(second)), sceneArchive(other)],
      ["v1.tar", "v2.tar", "other.tar"],
    );
    expect(await bundlesOf(site)).toEqual([
      { id: scene.lock.id, files: ["v1.tar", "v2.tar"] },
      { id: other.lock.id, files: ["other.tar"] },
    ]);
    expect((await fetchPage(site, "/compare?a=v2.tar&b=other.tar")).status).toBe(200);
    const { text } = await fetchPage(site, "/");
    expect(text).toContain('<p class="crumbs">Archives</p>');
  });

  test("a file without a lock is named by itself, and its manifests say what it has", async () => {
    const files = ["app", "web"].map(name => {
      const layers = [Buffer.from("common"), Buffer.from(`of ${name}`)];
      return layoutArchive([{ names: [`hub.example/${name}:1`], layers }]);
    });
    const site = await siteOf(
      files.map(({ bytes }) => bytes),
      ["app.tar", "web.tar"],
    );
    const found = await fetchJson<ComparedJson>(site, "/compare?a=app.tar&b=web.tar");
    expect(found).toMatchObject({ a: { id: null, files: ["app.tar"] }, counts: { new: 1, gone: 1, unchanged: 0 } });
    const sizes = (index: number, other: number, has: boolean): number =>
      [...(files[index]?.blobs ?? [])]
        .filter(([digest]) => files[other]?.blobs.has(digest) === has)
        .reduce((sum, [, bytes]) => sum + bytes.length, 0);
    expect(found.bytes).toEqual({ onlyA: sizes(0, 1, false), both: sizes(1, 0, true), onlyB: sizes(1, 0, false) });
  });

  test("are shown with 100 images on a page", async () => {
    const many = (name: string, count: number): SceneImage[] =>
      Array.from({ length: count }, (_, index) => image(`hub.example/${name}`, String(index), ["ADD root"]));
    const [one, other] = [sceneOf(many("one", 3), true), sceneOf(many("other", 230), true)];
    const site = await siteOf([sceneArchive(one), sceneArchive(other)], ["one.tar", "other.tar"]);
    const url = "/compare?a=one.tar&b=other.tar";
    const first = await fetchPage(site, url);
    expect(first.text.match(/scope="row"/g)).toHaveLength(100);
    expect(first.text).toContain(`&amp;page=3">`);
    const last = await fetchJson<ComparedJson>(site, `${url}&page=3`);
    expect([last.page, last.pages, last.images.length]).toEqual([3, 3, 33]);
    const past = await fetchPage(site, `${url}&page=4`);
    expect(past.status).toBe(404);
    expect(past.text).toContain("Go to the last one");
  });

  test("are not compared with images, nor with what is not here", async () => {
    const scene = sceneOf(BASE_IMAGES, true);
    const site = await siteOf([sceneArchive(scene)], ["base.tar"]);
    const id = scene.lock.id.slice(7, 19);
    for (const [query, status, words] of [
      [`a=${id}&b=${APP}:1.0`, 400, "A is a bundle, and B an image: expected two images or two bundles."],
      [`a=${APP}:1.0&b=${id}`, 400, "A is an image, and B a bundle: expected two images or two bundles."],
      [`a=${id}&b=0123456789ab`, 404, "No bundle 0123456789ab is served here."],
      [`a=${id}&b=${id.slice(0, 11)}`, 404, "Nothing here has that name."],
      [`a=${id}&b=none.tar`, 404, "Nothing here has that name."],
      [`a=${id}&b=${id}`, 200, "A and B are the same bundle."],
    ] as const) {
      const { status: found, text } = await fetchPage(site, `/compare?${query}`);
      expect([query, found]).toEqual([query, status]);
      expect(text).toContain(words);
    }
  });
});
