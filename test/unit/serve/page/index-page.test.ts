import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../src/oci/digest.ts";
import { fetchJson, fetchPage, LINUX_AMD64, LINUX_ARM64, MemoryServed, memorySite } from "./memory-served.ts";

interface ListedJson {
  readonly totals: { readonly bytes: number; readonly ownBytes: number; readonly aloneBytes: number };
  readonly images: readonly { readonly name: string; readonly bytes: number; readonly ownBytes: number }[];
}

function served(count: number): MemoryServed {
  const registry = new MemoryServed();
  const base = registry.layer("base", 5_000_000);
  for (let number = 0; number < count; number += 1) {
    const layers = [base, registry.layer(`own ${number}`, 1_000_000 + number * 40_000)];
    registry.image(`registry.example/team/app${number % 7}`, `1.${number}`, { layers });
  }
  return registry;
}

/** Widths of the parts of each bar of a table, in percent. */
function barsOf(text: string): readonly (readonly number[])[] {
  return [...text.matchAll(/<svg class="bar" height="8".*?<\/svg>/g)].map(([bar]) =>
    [...bar.matchAll(/ x="[\d.]+%" width="([\d.]+)%"/g)].map(([, width]) => Number(width)),
  );
}

describe("GET /", () => {
  test("says what is here in one heading, five numbers, one form and a row for each image", async () => {
    const registry = served(12);
    const { text } = await fetchPage(memorySite(registry, { store: "images", isReadOnly: false }), "/");
    expect(text.match(/<h1/g)).toHaveLength(1);
    expect(text).toMatch(/<p class="crumbs">Store<\/p><h1>images<\/h1>/);
    expect(text).toContain("12 images.");
    expect(text.match(/<div><dt>/g)).toHaveLength(5);
    expect(text.match(/<tr role="row"><th role="rowheader"/g)).toHaveLength(12);
    expect(text).toContain("registry.lan:5000 &middot; read and write");
    expect(text).toMatch(/<a href="\/" aria-current="page">Images<\/a>/);
    expect(text).not.toContain('class="pages"');
    for (const head of ["Image", "Platforms", "Size", "Sharing", "Own", "Signatures", "Digest"])
      expect(text).toMatch(new RegExp(`<th role="columnheader" scope="col"[^>]*>${head}</th>`));
  });

  test("bars are to scale, and their parts are the whole", async () => {
    const site = memorySite(served(9));
    const { images } = await fetchJson<ListedJson>(site, "/");
    const bars = barsOf((await fetchPage(site, "/")).text);
    expect(bars).toHaveLength(9);
    for (const [index, parts] of bars.entries()) {
      const { bytes, ownBytes } = images[index] ?? { bytes: 0, ownBytes: 0 };
      expect(parts[0]).toBeCloseTo((ownBytes / bytes) * 100, 1);
      expect(parts.reduce((sum, width) => sum + width, 0)).toBeCloseTo(100, 1);
    }
  });

  test("a tiny part of a bar is seen, and does not push others out", async () => {
    const registry = new MemoryServed();
    const base = registry.layer("base", 10_000_000_000);
    for (const tag of ["a", "b"]) registry.image("app", tag, { layers: [base, registry.layer(tag, 1)] });
    for (const parts of barsOf((await fetchPage(memorySite(registry), "/")).text)) expect(parts).toEqual([0.7, 99.3]);
  });

  const long = memorySite(served(250));
  test.each([
    ["", 200, 1],
    ["?page=1", 200, 1],
    ["?page=3", 200, 3],
    ["?page=0", 200, 1],
    ["?page=-1", 200, 1],
    ["?page=x", 200, 1],
    ["?page=01", 200, 1],
    ["?page=4", 404, undefined],
    ["?page=1000000000", 404, undefined],
    ["?page=99999999999999999999", 200, 1],
  ])("/%s of 250 images is %d", async (query, status, page) => {
    const answer = await fetchPage(long, `/${query}`);
    expect(answer.status).toBe(status);
    if (page === undefined) {
      expect(answer.text).toContain('<a href="/?page=3">Go to the last one</a>');
      return;
    }
    expect(answer.text.match(/<tr role="row"><th role="rowheader"/g)).toHaveLength(page === 3 ? 50 : 100);
    expect(answer.text).toContain(
      `<span class="here" aria-current="page"><span class="hide">Page </span>${page}</span>`,
    );
    expect(answer.text).toContain(page === 3 ? "201–250 of 250" : "1–100 of 250");
  });

  test("pages have links to the first, the last and those next to them, and keep what was asked for", async () => {
    const registry = served(1200);
    const { text } = await fetchPage(memorySite(registry), "/?q=team&sort=size&page=6&unknown=%22%3E");
    const [links = ""] = text.match(/<nav class="pages".*?<\/nav>/s) ?? [];
    expect([...links.matchAll(/page=(\d+)/g)].map(([, page]) => page)).toEqual(["5", "5", "7", "12", "7"]);
    expect(links).toContain('href="/?q=team&amp;sort=size">');
    expect(links.match(/class="gap"/g)).toHaveLength(2);
    expect(text).not.toContain("unknown=");
  });

  test("is filtered, then sorted, then cut to pages", async () => {
    const registry = served(150);
    const site = memorySite(registry);
    const names = async (query: string): Promise<readonly string[]> =>
      (await fetchJson<ListedJson>(site, `/index.json${query}`)).images.map(({ name }) => name.replace(/^.*\//, ""));
    expect(await names("?q=APP3")).toHaveLength(21);
    expect((await names("?q=APP3&sort=size"))[0]).toBe("app3:1.143");
    expect((await names("?sort=own"))[0]).toBe("app2:1.149");
    expect((await names(""))[0]).toBe("app0:1.147");
    expect(await names("?show=unsigned")).toEqual([]);
    expect(await names("?show=unknown")).toHaveLength(150);
    expect(await names("?q=arm64")).toEqual([]);
    expect(await names("?q=linux/amd")).toHaveLength(150);
    const { digest } = registry.image("team/single", "1");
    expect(await names(`?q=${digest.slice(0, 20)}`)).toEqual(["single:1"]);
    const { text } = await fetchPage(site, "/?q=app3&show=unknown");
    expect(text).toContain("21 images of 151 with <strong>app3</strong> whose signatures are unknown.");
    expect(text).not.toContain('<dl class="facts">');
    // The head of a group counts what was found.
    expect(text).not.toMatch(/15[01] images ·/);
    expect(text).toContain('<option value="unknown" selected>');
    expect(text.match(/<tr role="row"><th role="rowheader"/g)).toHaveLength(21);
  });

  test("platforms are short, a dozen of them too; what is left out is dashed, and an artifact has its kind", async () => {
    const registry = new MemoryServed();
    const child = registry.image("app", undefined);
    const others = ["arm", "386", "s390x", "ppc64le", "riscv64", "mips64le", "loong64"].map(architecture => ({
      ...registry.image("app", undefined, { config: { architecture } }),
      platform: { os: "linux", architecture },
    }));
    const windows = {
      ...registry.layer("w", 1),
      mediaType: child.mediaType,
      platform: { os: "windows", architecture: "amd64" },
    };
    registry.index("app", "1", [
      { ...child, platform: LINUX_AMD64 },
      { ...child, platform: LINUX_ARM64 },
      ...others,
      windows,
    ]);
    registry.image("chart", "1", { extra: { artifactType: "application/vnd.cncf.helm.config.v1+json" } });
    const { text } = await fetchPage(memorySite(registry), "/");
    expect(text).toContain('<span class="chip" title="linux/arm64/v8">arm64</span>');
    expect(text).toMatch(/<span class="chip" title="[^"]*loong64">3 more<\/span>/);
    expect(text).toContain(
      '<span class="chip absent" title="Named by the image, not here: windows/amd64">1 left out</span>',
    );
    expect(text).toContain(">Helm chart</span>");
  });

  test("damage comes first, and the images that have it are marked", async () => {
    const registry = served(3);
    const lost = registry.layer("lost", 4000);
    registry.image("registry.example/team/bad", "1", { layers: [lost] });
    registry.damage.push({ digest: lost.digest, path: "/mnt/usb/site-b.v03.tar", found: "sha256:other" });
    registry.generation += 1;
    const { text } = await fetchPage(memorySite(registry), "/");
    expect(text.indexOf('<section class="alert"')).toBeLessThan(text.indexOf("<h1"));
    expect(text).toContain("1 of 4 images cannot be pulled whole");
    expect(text).toContain(
      '<span class="mono">site-b.v03.tar</span>: 1 blob in it is not what its digest says. 1 image is affected.',
    );
    expect(text).not.toContain("/mnt/usb");
    expect(text).toMatch(
      /<tr role="row" class="hurt">.*?team\/<wbr>bad.*?<span class="state bad">layer 1 is damaged<\/span>/s,
    );
    expect(text).toContain('Damage <span class="count">1</span>');
    expect(text).toContain("The other 3 images are whole and served as usual.");
  });

  test("a store without images says what to do; so do archives without names", async () => {
    const store = await fetchPage(memorySite(new MemoryServed(), { store: "images", isReadOnly: false }), "/");
    expect(store.text).toContain("<h2>No images yet</h2>");
    expect(store.text).toContain("imgpack push bundle.tar --registry registry.lan:5000");
    const archives = new MemoryServed();
    archives.bundle = {
      id: undefined,
      files: [{ name: "/a/hello.tar", size: 10 }],
      volumes: undefined,
      lock: async () => undefined,
      parts: async () => [],
      absent: [],
      pieces: { checked: 0, of: 1 },
    };
    const { text } = await fetchPage(memorySite(archives), "/");
    expect(text).toContain('<p class="crumbs">Archive</p><h1><span class="mono">hello.tar</span></h1>');
    expect(text).not.toContain("imgpack push");
  });

  test("a bundle is known by its id in fours", async () => {
    const registry = served(2);
    const id = digestOf(Buffer.from("lock"));
    const files = [1, 2, 3].map(volume => ({ name: `b.v0${volume}.tar`, size: 10, volume }));
    const volumes = { bundle: id, of: 4, present: new Map(), missing: [4], doubled: [], stale: [], foreign: [] };
    registry.bundle = {
      id,
      files,
      volumes,
      lock: async () => undefined,
      parts: async () => [],
      absent: [],
      pieces: { checked: 0, of: 9 },
    };
    const site = memorySite(registry);
    const { text } = await fetchPage(site, "/");
    const hex = id.slice(7);
    expect(text).toContain(
      `<span>${hex.slice(0, 4)}</span><span>${hex.slice(4, 8)}</span><span>${hex.slice(8, 12)}</span>`,
    );
    expect(text).toContain("2 images, served from 3 of 4 volumes.");
    expect(text).toContain(`<span>bundle ${hex.slice(0, 12)}</span>`);
    expect(await fetchJson(site, "/index.json")).toMatchObject({ bundle: { id, volumes: { of: 4, missing: [4] } } });
  });
});
