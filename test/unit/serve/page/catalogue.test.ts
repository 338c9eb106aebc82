import { describe, expect, test } from "vitest";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { referrersTag } from "../../../../src/oci/referrers/referrers-tag.ts";
import type { Catalogue } from "../../../../src/serve/page/model/catalogue.ts";
import { CatalogueCache } from "../../../../src/serve/page/model/catalogue-cache.ts";
import { LINUX_AMD64, LINUX_ARM64, MemoryServed } from "./memory-served.ts";

async function read(registry: MemoryServed): Promise<Catalogue> {
  return await new CatalogueCache(registry).get(new AbortController().signal);
}

const NAME = "registry.example/team/app";

describe("the catalogue of what is served", () => {
  test("own and shared bytes are those of the image, and blobs count once", async () => {
    const registry = new MemoryServed();
    const base = registry.layer("base", 1000);
    registry.image(NAME, "1.0", { layers: [base, registry.layer("a", 10), registry.layer("a", 10)] });
    registry.image(NAME, "1.1", { layers: [base, registry.layer("b", 20)] });
    const same = registry.image("registry.example/other", "x", { layers: [base] });
    registry.at("registry.example/other").names.set("y", same.digest);
    const { images, totals } = await read(registry);
    expect(images.map(({ name }) => name)).toEqual([
      "registry.example/other:x",
      "registry.example/other:y",
      `${NAME}:1.1`,
      `${NAME}:1.0`,
    ]);
    const configs = images.map(({ bytes, platforms }) => [bytes, platforms[0]?.bytes]);
    expect(configs.every(([bytes, ofPlatform]) => bytes === ofPlatform)).toBe(true);
    for (const { bytes, ownBytes } of images) expect(bytes - ownBytes).toBe(1000);
    const contents = [images[0], images[2], images[3]];
    expect(totals.aloneBytes).toBe(contents.reduce((sum, image) => sum + (image?.bytes ?? 0), 0));
    expect(totals.ownBytes).toBe(contents.reduce((sum, image) => sum + (image?.ownBytes ?? 0), 0));
    expect(totals.bytes).toBe(totals.ownBytes + 1000);
  });

  test("platforms that the index names and that are not carried are left out; an attestation is no platform", async () => {
    const registry = new MemoryServed();
    const amd64 = registry.image(NAME, undefined, { config: { id: 1 } });
    const arm64 = registry.image(NAME, undefined, { config: { id: 2 } });
    const windows = registry.layer("windows", 700);
    const attestation = registry.image(NAME, undefined, {
      layers: [
        registry.layer("sbom", 50, {
          mediaType: "application/vnd.in-toto+json",
          annotations: { "in-toto.io/predicate-type": "https://spdx.dev/Document" },
        }),
      ],
    });
    const about = { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": amd64.digest };
    registry.index(NAME, "1.0", [
      { ...amd64, platform: LINUX_AMD64 },
      { ...arm64, platform: LINUX_ARM64 },
      { ...windows, mediaType: OCI_MANIFEST, platform: { os: "windows", architecture: "amd64" } },
      { ...attestation, platform: { os: "unknown", architecture: "unknown" }, annotations: about },
    ]);
    const { images, totals } = await read(registry);
    expect(images).toHaveLength(1);
    expect(images[0]?.platforms.map(({ label, state }) => [label, state])).toEqual([
      ["linux/amd64", "here"],
      ["linux/arm64/v8", "here"],
      ["windows/amd64", "left out"],
    ]);
    expect(images[0]?.attached).toMatchObject([{ kind: "sbom", platform: "linux/amd64", bytes: 50 }]);
    expect(totals.broken).toBe(0);
  });

  test("signatures are found by subject and by cosign's tag, which is no image; without them no one knows", async () => {
    const registry = new MemoryServed();
    const image = registry.image(NAME, "1.0");
    registry.image(NAME, "2.0");
    const sigstore = "application/vnd.dev.sigstore.bundle.v0.3+json";
    registry.image(NAME, undefined, { extra: { subject: image, artifactType: sigstore } });
    registry.image(NAME, `${referrersTag(image.digest)}.sig`, { config: { id: "sig" } });
    registry.image(NAME, `sha256-${"0".repeat(64)}.sig`, { config: { id: "of an image that is not here" } });
    const { images, totals } = await read(registry);
    expect(images.map(({ tag, signatures }) => [tag, signatures])).toEqual([
      ["2.0", "absent"],
      ["1.0", 2],
      [`sha256-${"0".repeat(64)}.sig`, "absent"],
    ]);
    expect(totals).toMatchObject({ signed: 1, unknown: 2 });
  });

  test("an image without a tag is listed by its digest, and found by it", async () => {
    const registry = new MemoryServed();
    const { digest } = registry.image(NAME, undefined);
    registry.image(NAME, "1.0");
    const catalogue = await read(registry);
    expect(catalogue.images.map(({ name }) => name)).toEqual([`${NAME}:1.0`, `${NAME}@${digest}`]);
    for (const name of [`${NAME}@${digest}`, `${NAME}:1.0@${digest}`])
      expect(catalogue.find(name)?.digest).toBe(digest);
    expect(catalogue.find("1.0")).toBeUndefined();
  });

  test("what is damaged, missing or no manifest is said of its image, and hides no other", async () => {
    const registry = new MemoryServed();
    const lost = registry.layer("lost", 300);
    const foreign = registry.layer("foreign", 5, {
      mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    });
    registry.image(NAME, "1", { layers: [lost] });
    registry.image(NAME, "2", { layers: [foreign] });
    const damaged = registry.image(NAME, "3");
    registry.manifestBytes(NAME, "4", OCI_MANIFEST, Buffer.from("{"));
    const volume = registry.layer("in volume 5", 700);
    registry.image(NAME, "5", { layers: [volume] });
    registry.image(NAME, "6");
    const repository = registry.at(NAME);
    for (const { digest } of [lost, foreign, volume]) repository.blobs.delete(digest);
    repository.lacks.set(volume.digest, { kind: "volume", found: "it is in volume 5", hint: "Get it.", volumes: [5] });
    registry.contents.delete(damaged.digest);
    registry.damage.push({ digest: damaged.digest, path: "a.tar", found: "sha256:other" });
    const { images, totals } = await read(registry);
    expect(
      images.map(({ tag, broken }) => [
        tag,
        broken.map(({ why, kind, layer, volumes }) => [why, kind, layer, volumes]),
      ]),
    ).toEqual([
      ["6", []],
      ["5", [["missing", "layer", 1, [5]]]],
      ["4", [["unreadable", "manifest", undefined, []]]],
      ["3", [["damaged", "manifest", undefined, []]]],
      ["2", []],
      ["1", [["missing", "layer", 1, []]]],
    ]);
    expect(totals).toMatchObject({ broken: 4, brokenBytes: 300 + 700 + 1 + damaged.size });
  });

  test("an index in an index in an index ends; one that names itself does, too", async () => {
    const registry = new MemoryServed();
    let inner = registry.image(NAME, undefined);
    for (let depth = 0; depth < 12; depth += 1)
      inner = registry.index(NAME, depth === 11 ? "deep" : undefined, [inner]);
    const { images } = await read(registry);
    expect(images.filter(({ tag }) => tag === "deep")).toHaveLength(1);
  });
});

describe("reading the catalogue", () => {
  test("images are read once, and then only what is new", async () => {
    const registry = new MemoryServed();
    const base = registry.layer("base", 1000);
    for (let number = 0; number < 1000; number += 1) {
      registry.image(`registry.example/team/app${number % 500}`, `1.${number}`, {
        layers: [base, registry.layer(`${number}`, number)],
      });
    }
    const cache = new CatalogueCache(registry);
    const { signal } = new AbortController();
    const [first, second] = await Promise.all([cache.get(signal), cache.get(signal)]);
    expect(first.images).toHaveLength(1000);
    expect(second).toBe(first);
    // A manifest and a config each.
    expect(registry.reads).toBe(2000);
    expect(await cache.get(signal)).toBe(first);
    registry.image("registry.example/team/app1", "9.9");
    const third = await cache.get(signal);
    expect(third.images).toHaveLength(1001);
    expect(registry.reads).toBe(2002);
    registry.at("registry.example/team/app1").names.delete("9.9");
    registry.generation += 1;
    await cache.get(signal);
    expect(registry.reads).toBe(2002);
  });

  test("it ends when all who wait for it are gone, and begins again for the next one", async () => {
    const registry = new MemoryServed();
    for (let number = 0; number < 100; number += 1) registry.image(NAME, `${number}`);
    const gone = new AbortController();
    registry.onRead = async () => {
      if (registry.reads === 20) gone.abort(new Error("the client is gone"));
    };
    const cache = new CatalogueCache(registry);
    const both = await Promise.allSettled([cache.get(gone.signal), cache.get(gone.signal)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(registry.reads).toBeLessThan(60);
    registry.onRead = async () => undefined;
    expect((await cache.get(new AbortController().signal)).images).toHaveLength(100);
    expect(registry.reads).toBeLessThan(260);
  });

  test("one client that leaves takes nothing from the other; a fault is thrown, and not remembered", async () => {
    const registry = new MemoryServed();
    registry.image(NAME, "1.0");
    const gone = new AbortController();
    registry.onRead = async () => gone.abort(new Error("the client is gone"));
    const cache = new CatalogueCache(registry);
    const [left, stayed] = await Promise.allSettled([cache.get(gone.signal), cache.get(new AbortController().signal)]);
    expect([left.status, stayed.status]).toEqual(["rejected", "fulfilled"]);
    registry.image(NAME, "1.1");
    registry.onRead = async () => {
      throw new Error("EIO");
    };
    await expect(cache.get(new AbortController().signal)).rejects.toThrow("EIO");
    registry.onRead = async () => undefined;
    expect((await cache.get(new AbortController().signal)).images).toHaveLength(2);
  });
});
