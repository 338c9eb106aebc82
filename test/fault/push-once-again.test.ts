import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { shapeArchives } from "../support/shape-archives.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import {
  expectNoSessions,
  fast,
  ordered,
  ownTemporaryFolder,
  pushBytes,
  pushTagged,
  tarLayer,
  WAYS,
} from "./push-once-support.ts";
import { expectStored } from "./push-support.ts";

ownTemporaryFolder();

const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const IMAGE = ordered([BIG, SMALL], [0, "m", 1]);

describe("push() of what is there already", () => {
  test("push() from a pipe with a tag sends no blob whose name the registry has", async () => {
    const blob = fast(BIG);
    const pushed = await pushTagged(
      "pipe",
      tarArchive([tarEntry({ name: `blobs/sha256/${sha256(blob).slice(7)}`, body: blob })]),
    );
    expect(pushed.error).toMatchObject({ exitCode: 3 });
    expect(pushed.registry.content.blobs.has(sha256(blob))).toBe(true);
    const sent = pushed.registry.requests.length;
    await pushBytes(
      pushed.registry,
      "pipe",
      tarArchive([tarEntry({ name: `blobs/sha256/${sha256(blob).slice(7)}`, body: blob })]),
      { tag: [`${pushed.registry.host}/app:1`] },
    );
    const more = pushed.registry.requests.slice(sent).map(({ method }) => method);
    expect(more).not.toContain("POST");
    expect(more).toContain("HEAD");
  });

  test.each(["gzip", "pipe"] as const)("push() as %s sends no raw layer that the cache knows", async way => {
    const name = `blobs/sha256/${sha256(BIG).slice(7)}`;
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [sha256(BIG)] },
    });
    const image = tarArchive([
      tarEntry({ name, body: BIG }),
      tarEntry({ name: "config.json", body: config }),
      tarEntry({
        name: "manifest.json",
        body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: [name] }]),
      }),
    ]);
    const cacheFolder = await temporaryFolder();
    const registry = await ScriptedRegistry.start();
    const first = await pushBytes(registry, way, image, { tag: [`${registry.host}/app:1`], cacheDir: cacheFolder });
    expectStored(first, [BIG]);
    registry.content.manifests.clear();
    const sent = registry.requests.length;
    const second = await pushBytes(registry, way, image, { tag: [`${registry.host}/app:1`], cacheDir: cacheFolder });
    expectStored(second, [BIG]);
    expect(registry.requests.slice(sent).filter(({ method }) => method === "PATCH" || method === "POST")).toEqual([]);
  });
});

describe("push() to several registries", () => {
  test("push() from a pipe to several repositories keeps its layers until all have them", async () => {
    const registry = await ScriptedRegistry.start();
    const layers = [tarLayer("one", 2_000_000), tarLayer("two")];
    const tags = [`${registry.host}/app:1`, `${registry.host}/other:2`, `${registry.host}/app:3`];
    const pushed = await pushBytes(registry, "pipe", ordered(layers, [0, "m", 1]), { tag: tags });
    expect(pushed.error?.message).toBeUndefined();
    expect(pushed.result?.images.map(({ reference }) => reference).sort()).toEqual([...tags].sort());
    for (const name of ["app:1", "other:2", "app:3"]) expect(registry.content.manifests.has(name)).toBe(true);
    expectNoSessions(pushed);
  });
});

describe("push() that only plans", () => {
  test.each(WAYS)("push() as %s reads a plan without sending anything", async way => {
    const pushed = await pushTagged(way, IMAGE, {}, { dryRun: true });
    expect(pushed.error?.message).toBeUndefined();
    expect(pushed.result?.images).toHaveLength(1);
    expect(pushed.registry.seen(/^(?:POST|PUT|PATCH) /)).toEqual([]);
  });

  test.each(WAYS)("push() as %s plans an image with compressed layers and one of docker 1.9", async way => {
    const shapes = shapeArchives().filter(
      ({ name, expected, bytes }) => "images" in expected && bytes[0] !== 0x1f && /1\.9|kaniko|jib/.test(name),
    );
    expect(shapes.length).toBeGreaterThan(2);
    for (const { name, bytes } of shapes) {
      const pushed = await pushBytes(await ScriptedRegistry.start(), way, bytes, { dryRun: true });
      expect(pushed.error?.message ?? "", name).not.toMatch(/passed by/);
    }
  });
});
