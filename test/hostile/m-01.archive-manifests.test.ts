// Manifests, digests and names of image archives that lie about one another.
import { describe, expect, test } from "vitest";
import { push, UsageError } from "../../src/index.ts";
import { fileWith } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { archiveOf, entriesOf, type Image, imageWith, OCI, type Part, pushBytes, refused } from "./t-image.ts";

const image = imageWith();
const first = (insert: string) => (text: string) => text.replace("{", `{${insert},`);
/** The image with one part's bytes exchanged, and its name kept. */
const swapped = (part: Part, body: Uint8Array): Image => ({ ...image, [part]: { ...image[part], body } });
const digestOf = (part: Part): string => image[part].name.replace("blobs/sha256/", "sha256:");

describe("M-01 documents of two kinds (CVE-2021-41190, GHSA-mc8v-mgrf-8f4m, GHSA-77vh-xpmg-72qh)", () => {
  test.each<[string, string, Part, (text: string) => string]>([
    ["an image manifest with manifests", "manifest-shape", "manifest", first('"manifests":[]')],
    ["an index with layers", "manifest-shape", "index.json", first('"layers":[]')],
    ["an index with a config", "manifest-shape", "index.json", first('"config":{}')],
    ["neither shape", "manifest-shape", "manifest", () => '{"schemaVersion":2}'],
    [
      "an image labelled index",
      "manifest-media-type",
      "manifest",
      text => text.replace("manifest.v1+json", "index.v1+json"),
    ],
    [
      "an index labelled image",
      "manifest-media-type",
      "index.json",
      text => text.replace("index.v1+json", "manifest.v1+json"),
    ],
    [
      "another label than its parent gives",
      "manifest-media-type",
      "manifest",
      text => text.replace(`${OCI}.manifest.v1+json`, "application/vnd.docker.distribution.manifest.v2+json"),
    ],
    [
      "M-04 schema 1 (ggcr#1885)",
      "manifest-schema1",
      "manifest",
      () => '{"schemaVersion":1,"fsLayers":[],"history":[],"signatures":[]}',
    ],
  ])("M-01 %s is refused as %s", async (_, reason, part, change) => {
    expect(await pushBytes(archiveOf(imageWith({ [part]: change })))).toEqual(refused(reason));
  });
});

describe("M-15 / M-08 / Z-04 content that is not what its name or descriptor says", () => {
  test.each<Part>(["manifest", "config", "layer"])(
    "M-15 a %s under the name of another digest is refused",
    async part => {
      const other = Buffer.from(image[part].body);
      other.writeUInt8(other.readUInt8(other.length >> 1) ^ 1, other.length >> 1);
      for (const wrapper of ["plain", "gzip"] as const) {
        expect(await pushBytes(archiveOf(swapped(part, other)), wrapper), wrapper).toEqual(refused("ERR_INTEGRITY"));
      }
    },
  );

  test.each([`${"a".repeat(64)}.json`, `sha256:${"a".repeat(64)}`])(
    "M-15 a docker config named %s is refused",
    async name => {
      const docker = JSON.stringify([{ Config: name, RepoTags: ["app:1"], Layers: [image.layer.name] }]);
      const entries = [{ name, body: image.config.body }, image.layer, { name: "manifest.json", body: docker }];
      expect(await pushBytes(tarArchive(entries.map(tarEntry)))).toEqual(refused("ERR_INTEGRITY"));
    },
  );

  test.each<Part>(["config", "layer"])("M-08 a %s with another size than its descriptor is refused", async part => {
    const { length } = image[part].body;
    for (const size of [0, length - 1, length + 1, 2 ** 53 - 1]) {
      const changes = { manifest: (text: string) => text.replace(`"size":${length}`, `"size":${size}`) };
      const { reason, visible } = await pushBytes(archiveOf(imageWith(changes)));
      expect(reason, `${size}`).toBe("size-mismatch");
      expect(visible).toEqual([]);
    }
  });

  test("Z-04 a raw layer that is not its diff_id is refused", async () => {
    const body = Buffer.from(tarArchive([tarEntry({ name: "evil", body: "x" })]));
    const docker = JSON.stringify([{ Config: "c.json", RepoTags: ["app:1"], Layers: ["l.tar"] }]);
    const entries = [
      { name: "c.json", body: image.config.body },
      { name: "l.tar", body },
      { name: "manifest.json", body: docker },
    ];
    for (const wrapper of ["plain", "gzip"] as const) {
      expect(await pushBytes(tarArchive(entries.map(tarEntry)), wrapper)).toEqual(refused("ERR_INTEGRITY"));
    }
  });
});

describe("M-16 / M-17 two descriptions of one image", () => {
  const other = imageWith({ config: text => text.replace("amd64", "arm64") });
  test.each(["with", "without"])(
    "M-16 index.json and manifest.json that name two images are refused, %s oci-layout",
    async header => {
      const parts = [...(header === "with" ? [image["oci-layout"]] : []), image["index.json"], other["manifest.json"]];
      const blobs = [image.manifest, image.config, other.config, image.layer];
      for (const wrapper of ["plain", "gzip"] as const) {
        const bytes = tarArchive([...parts, ...blobs].map(tarEntry));
        expect(await pushBytes(bytes, wrapper)).toEqual(refused("two-views"));
      }
    },
  );

  test.each<[string, string, (layers: string) => string]>([
    ["one layer more", "layer-count", name => `["${name}","${name}"]`],
    ["no layer", "layer-count", () => "[]"],
  ])("M-17 manifest.json with %s than the config is refused (podman#8132)", async (_, reason, layers) => {
    const change = (text: string): string => text.replace(/"Layers":\[.*?\]/, `"Layers":${layers(image.layer.name)}`);
    expect(await pushBytes(archiveOf(imageWith({ "manifest.json": change })))).toEqual(refused(reason));
  });

  test.each<[string, string]>([
    ['""', "bad-digest"],
    [`"sha512:${"0".repeat(64)}"`, "bad-digest"],
    ['"sha256:x"', "bad-digest"],
  ])("M-17 diff_id %s is refused", async (diffId, reason) => {
    const change = (text: string): string => text.replace(/"diff_ids":\[.*?\]/, `"diff_ids":[${diffId}]`);
    expect(await pushBytes(archiveOf(imageWith({ config: change })))).toEqual(refused(reason));
  });
});

describe("M-06 / M-18 / M-19 names in archives", () => {
  const named = (name: string): Uint8Array => {
    const docker = JSON.stringify([{ Config: image.config.name, RepoTags: [name], Layers: [image.layer.name] }]);
    return tarArchive([image.config, image.layer, { name: "manifest.json", body: docker }].map(tarEntry));
  };

  test("M-06 a name in the archive never decides over what was typed (CVE-2026-50195)", async () => {
    const [typed, planted] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const path = await fileWith(named(`${planted.host}/owned:latest`));
    await push([path], { tag: [`${typed.host}/app:2`] });
    expect([...typed.content.manifests.keys()]).toContain("app:2");
    expect([...typed.content.manifests.keys()].join(" ")).not.toContain("owned");
    expect(planted.requests).toEqual([]);
    const nameless = await fileWith(named("owned:latest"));
    await expect(push([nameless])).rejects.toBeInstanceOf(UsageError);
  });

  test.each([
    "R.lan/REPO:1",
    "r.lan/repo/../x:1",
    "r.lan/ｒepo:1",
    "r.lan/re\u0301po:1",
    "r.lan/repo:\u202e1",
    "r.lan/a//b:1",
    "-:1",
  ])("M-18 name %j is no name", async name => {
    const { reason, visible } = await pushBytes(named(name));
    expect({ reason, visible }).toEqual({ reason: "ERR_USAGE", visible: [] });
  });

  test("M-18 repositories that differ in case alone are never folded into one", async () => {
    const both = [
      { Config: image.config.name, RepoTags: ["r.lan/repo:V", "r.lan/repo:v"], Layers: [image.layer.name] },
    ];
    const entries = [image.config, image.layer, { name: "manifest.json", body: JSON.stringify(both) }];
    const { visible } = await pushBytes(tarArchive(entries.map(tarEntry)));
    expect(visible).toEqual(expect.arrayContaining(["repo:V", "repo:v"]));
  });

  test.each(["../../../tmp/owned", "/etc/owned", "CON", "a\0b"])(
    "M-19 a title of %j is data and no file name (CVE-2025-62725)",
    async title => {
      const annotations = JSON.stringify({ "org.opencontainers.image.title": title });
      const changes = { manifest: first(`"annotations":${annotations}`) };
      expect(await pushBytes(archiveOf(imageWith(changes)))).toMatchObject({ reason: "pushed", files: ["image.tar"] });
    },
  );
});

describe("M-07 / M-09 graphs and sizes", () => {
  /** An archive whose index.json leads over that many indexes to the image. */
  function nested(levels: number, fan = 1): Uint8Array {
    const bodies: Buffer[] = [];
    let children = `{"mediaType":"${OCI}.manifest.v1+json","digest":"${digestOf("manifest")}","size":${image.manifest.body.length}}`;
    for (let level = 0; level < levels; level += 1) {
      const type = `${OCI}.index.v1+json`;
      const made = Array.from({ length: fan }, (_, at) =>
        Buffer.from(
          `{"schemaVersion":2,"mediaType":"${type}","annotations":{"n":"${level}-${at}"},"manifests":[${children}]}`,
        ),
      );
      bodies.push(...made);
      children = made.map(body => `{"mediaType":"${type}","digest":"${sha256(body)}","size":${body.length}}`).join();
    }
    const named = (at: number): string => `,"annotations":{"io.containerd.image.name":"r.lan/n:${at}"}}`;
    const roots = children.replace(/\}(?=,|$)/g, (_, at: number) => named(at));
    const change = (text: string): string => text.replace(/"manifests":\[.*\]/, `"manifests":[${roots}]`);
    const { "oci-layout": header, "index.json": index, ...blobs } = imageWith({ "index.json": change });
    const files = [header, index, blobs.manifest, blobs.config, blobs.layer];
    return tarArchive([
      ...files.map(tarEntry),
      ...bodies.map(body => tarEntry({ name: `blobs/sha256/${sha256(body).slice(7)}`, body })),
    ]);
  }

  test("M-07 twenty levels of indexes are refused, and nothing is visible (GO-2026-6597)", async () => {
    const path = await fileWith(nested(20));
    const registry = await ScriptedRegistry.start();
    await expect(push([path], { tag: [`${registry.host}/app:1`] })).rejects.toMatchObject({ code: "ERR_ARCHIVE" });
    expect(registry.content.manifests.size).toBe(0);
  });

  test("M-07 indexes of four levels that all name one another are pushed once each", async () => {
    const registry = await ScriptedRegistry.start();
    const path = await fileWith(nested(4, 5));
    await push([path], { to: `${registry.host}/all` });
    expect(registry.content.manifests.size).toBe(1 + 4 * 5 + 5);
    expect(registry.seen(/^PUT/).length).toBeLessThan(60);
  });

  test.each<[Part, number, string]>([
    ["oci-layout", 64 * 1024, "too-large"],
    ["config", 8 * 1024 * 1024, "too-large"],
  ])("M-09 a %s over %i bytes is refused as %s (CVE-2020-1702, CVE-2024-29902)", async (part, limit, reason) => {
    const padded = (bytes: number) => (text: string) => text + " ".repeat(bytes - text.length);
    expect(await pushBytes(archiveOf(imageWith({ [part]: padded(limit + 1) })))).toEqual(refused(reason));
    expect(await pushBytes(archiveOf(imageWith({ [part]: padded(limit) })))).toMatchObject({ reason: "pushed" });
  });

  test("M-01 / M-06 entries that no document names are not pushed", async () => {
    const body = Buffer.from("planted");
    const extra = tarEntry({ name: `blobs/sha256/${sha256(body).slice(7)}`, body });
    const registry = await ScriptedRegistry.start();
    await push([await fileWith(tarArchive([extra, ...entriesOf(image)]))], { registry: registry.host });
    expect(registry.content.blobs.has(sha256(body))).toBe(false);
  });
});
