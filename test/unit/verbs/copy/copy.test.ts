import { describe, expect, test } from "vitest";
import { copy, copyTo } from "../../../../src/verbs/copy/copy.ts";
import { tag } from "../../../../src/verbs/tag.ts";
import { seededBytes } from "../../../support/images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { putImage, putIndex } from "../query/listed-registry.ts";

const LAYERS = [seededBytes("one", 1_500_000), seededBytes("two", 20_000)];

async function startTwo(): Promise<{ from: ScriptedRegistry; to: ScriptedRegistry }> {
  return { from: await ScriptedRegistry.start(), to: await ScriptedRegistry.start() };
}

describe("tag()", () => {
  test("tag() puts the same bytes under more tags, and moves nothing", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1.4.2"]);
    const result = await tag(`${registry.host}/app:1.4.2`, ["1.4", "latest"]);
    expect(result).toEqual({
      digest: image.digest,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      references: [`${registry.host}/app:1.4`, `${registry.host}/app:latest`],
    });
    expect(registry.content.manifests.get("app:latest")?.bytes.equals(image.bytes)).toBe(true);
    expect(registry.requests.map(({ method }) => method)).toEqual(["GET", "PUT", "PUT"]);
  });

  test("tag() mounts the blobs where the name is in another repository", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"], { layers: LAYERS });
    const result = await tag(`${registry.host}/app:1`, ["prod/app:1", `${registry.host}/prod/app:stable`]);
    expect(result.references).toEqual([`${registry.host}/prod/app:1`, `${registry.host}/prod/app:stable`]);
    expect(registry.content.manifests.get("prod/app:1")?.bytes.equals(image.bytes)).toBe(true);
    expect(registry.content.manifests.get("prod/app:stable")?.bytes.equals(image.bytes)).toBe(true);
    const mounts = registry.seen(/^POST \/v2\/prod\/app\/blobs\/uploads\/\?mount=.*&from=app$/);
    expect(mounts.length).toBeGreaterThanOrEqual(3);
    expect(registry.seen(/^PUT .*\/blobs\//)).toHaveLength(0);
    expect(registry.seen(/^GET .*\/blobs\//)).toHaveLength(0);
  });

  test("tag() streams the blobs where the registry mounts nothing", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"], { layers: LAYERS });
    registry.addFault({ on: /mount=/, times: 99, reply: { status: 405 } });
    registry.addFault({ on: /^HEAD \/v2\/prod\/app\/blobs/, times: 99, reply: { status: 404 } });
    await tag(`${registry.host}/app:1`, ["prod/app:1"]);
    expect(registry.content.manifests.get("prod/app:1")?.bytes.equals(image.bytes)).toBe(true);
    const sent = registry.seen(/^PUT \/v2\/prod\/app\/blobs/).map(({ body }) => body.length);
    expect(sent.toSorted((left, right) => left - right)).toEqual([image.configBytes.length, 20_000, 1_500_000]);
  });

  test("tag() refuses another registry, a digest and a name without a registry", async () => {
    await expect(tag("registry.lan/app:1", ["other.lan/app:1"])).rejects.toMatchObject({
      exitCode: 2,
      hint: 'Between registries, "imgpack copy" does it.',
    });
    await expect(tag("registry.lan/app:1", [`app@sha256:${"a".repeat(64)}`])).rejects.toMatchObject({ exitCode: 2 });
    await expect(tag("app:1", ["2"])).rejects.toMatchObject({ exitCode: 2 });
    await expect(tag("registry.lan/app:1", [])).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("copy()", () => {
  test("copy() keeps the digest of all platforms, and the source's tag", async () => {
    const { from, to } = await startTwo();
    const amd64 = putImage(from.content, [], { architecture: "amd64", layers: LAYERS });
    const arm64 = putImage(from.content, [], { architecture: "arm64", layers: LAYERS.slice(0, 1) });
    const index = putIndex(from.content, ["app:1"], { amd64, arm64 });
    const result = await copy(`${from.host}/app:1`, `${to.host}/team/app`);
    expect(result.images).toMatchObject([{ reference: `${to.host}/team/app:1`, digest: index.digest }]);
    expect(result.images[0]).not.toHaveProperty("previousDigest");
    expect(result.blobs).toMatchObject({ uploaded: 4, mounted: 0 });
    expect(to.content.manifests.get("team/app:1")?.bytes.equals(index.bytes)).toBe(true);
    for (const { digest, config, layers } of [amd64, arm64]) {
      expect(to.content.manifests.has(digest)).toBe(true);
      for (const blob of [config, ...layers]) {
        expect(to.content.blobs.get(blob)?.equals(from.content.blobs.get(blob) ?? Buffer.alloc(0))).toBe(true);
      }
    }
    expect(from.seen(/^GET .*\/blobs\//)).toHaveLength(4);
  });

  test("copy() again needs two requests, and two more to learn what refers to the image", async () => {
    const { from, to } = await startTwo();
    putImage(from.content, ["app:1"], { layers: LAYERS });
    await copy(`${from.host}/app:1`, `${to.host}/app:1`);
    for (const referrers of [false, true]) {
      const before = from.requests.length + to.requests.length;
      const notes: string[] = [];
      const onProgress = (event: { kind: string; message?: string }): void =>
        void notes.push(event.message ?? event.kind);
      const result = await copy(`${from.host}/app:1`, `${to.host}/app:1`, { onProgress, referrers });
      const requests = referrers ? 4 : 2;
      expect(from.requests.length + to.requests.length - before).toBe(requests);
      expect(result).toMatchObject({ requests, blobs: { uploaded: 0 }, images: [{ plannedBytes: 0 }] });
      expect(notes.filter(note => note !== "step")).toEqual([
        "planned",
        `${to.host}/app:1 is this image already: nothing to copy`,
        "planned",
        "image",
      ]);
    }
  });

  test("copy() of one platform takes that image alone, with its own digest", async () => {
    const { from, to } = await startTwo();
    const amd64 = putImage(from.content, [], { architecture: "amd64" });
    const arm64 = putImage(from.content, [], { architecture: "arm64" });
    const index = putIndex(from.content, ["app:1"], { amd64, arm64 });
    const { images } = await copy(`${from.host}/app:1`, `${to.host}/app:1`, { platform: ["linux/arm64"] });
    expect(images).toMatchObject([{ digest: arm64.digest, previousDigest: index.digest }]);
    expect(to.content.manifests.get("app:1")?.bytes.equals(arm64.bytes)).toBe(true);
    expect(to.content.manifests.has(amd64.digest)).toBe(false);
    const wanted = copy(`${from.host}/app:1`, `${to.host}/app:2`, { platform: ["linux/s390x"] });
    await expect(wanted).rejects.toMatchObject({ exitCode: 5 });
  });

  test("copy() of several platforms makes an index of those", async () => {
    const { from, to } = await startTwo();
    const images = Object.fromEntries(
      ["amd64", "arm64", "s390x"].map(architecture => [architecture, putImage(from.content, [], { architecture })]),
    );
    const index = putIndex(from.content, ["app:1"], images);
    const platforms = ["linux/amd64", "linux/s390x"];
    const result = await copy(`${from.host}/app:1`, `${to.host}/app:1`, { platform: platforms });
    expect(result.images[0]?.previousDigest).toBe(index.digest);
    const { manifests } = JSON.parse(to.content.manifests.get("app:1")?.bytes.toString() ?? "{}");
    expect(manifests.map((entry: { digest: string }) => entry.digest)).toEqual([
      images["amd64"]?.digest,
      images["s390x"]?.digest,
    ]);
    expect(to.content.manifests.has(images["arm64"]?.digest ?? "")).toBe(false);
  });

  test("copy() puts an image without a tag by its digest", async () => {
    const { from, to } = await startTwo();
    const image = putImage(from.content, ["app:1"]);
    const { images } = await copy(`${from.host}/app@${image.digest}`, `${to.host}/app`);
    expect(images).toMatchObject([{ reference: `${to.host}/app`, digest: image.digest }]);
    expect([...to.content.manifests.keys()]).toEqual([image.digest]);
  });

  test("copy() leaves no tag behind when a blob is not what its digest says", async () => {
    const { from, to } = await startTwo();
    const image = putImage(from.content, ["app:1"], { layers: LAYERS });
    from.content.blobs.set(image.layers[1] ?? "", Buffer.alloc(20_000));
    await expect(copy(`${from.host}/app:1`, `${to.host}/app:1`)).rejects.toMatchObject({
      exitCode: 6,
      origin: "source",
    });
    expect(to.content.manifests.size).toBe(0);
    expect(to.content.blobs.has(image.layers[1] ?? "")).toBe(false);
  });

  test("copy() with dryRun sends nothing", async () => {
    const { from, to } = await startTwo();
    const image = putImage(from.content, ["app:1"], { layers: LAYERS });
    const { images } = await copy(`${from.host}/app:1`, `${to.host}/app:1`, { dryRun: true });
    expect(images[0]?.plannedBytes).toBe(1_520_000 + image.configBytes.length);
    expect(to.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  });

  test("copy() refuses a digest as target, and never means Docker Hub by a short name", async () => {
    await expect(copy("r.lan/app:1", `s.lan/app@sha256:${"a".repeat(64)}`)).rejects.toMatchObject({ exitCode: 2 });
    await expect(copy("r.lan/app:1", "app:1")).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("copyTo()", () => {
  test("copyTo() keeps names below the prefix, and goes on after a failure", async () => {
    const { from, to } = await startTwo();
    const one = putImage(from.content, ["team/one:1"]);
    const two = putImage(from.content, ["two:2"]);
    const sources = ["team/one:1", "two:2"].map(name => `${from.host}/${name}`);
    const { images } = await copyTo(sources, `${to.host}/mirror`);
    expect(images.map(({ reference, digest }) => `${reference}@${digest}`)).toEqual([
      `${to.host}/mirror/team/one:1@${one.digest}`,
      `${to.host}/mirror/two:2@${two.digest}`,
    ]);
    const some = copyTo([`${from.host}/none:1`, ...sources], `${to.host}/other`);
    await expect(some).rejects.toMatchObject({ exitCode: 10, failures: [{ exitCode: 5 }] });
    expect(to.content.manifests.has("other/two:2")).toBe(true);
  });
});
