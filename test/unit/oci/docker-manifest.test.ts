import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { type DockerImageEntry, parseDockerManifest } from "../../../src/oci/docker-manifest.ts";
import { DOCKER_LAYER, DOCKER_MANIFEST } from "../../../src/oci/media-types.ts";

const D1 = `sha256:${"1".repeat(64)}`;
const source = { mediaType: DOCKER_LAYER, digest: D1, size: 5 };

function parse(document: unknown): readonly DockerImageEntry[] {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return parseDockerManifest(Buffer.from(text), '"hello.tar"');
}

function fault(document: unknown): ArchiveError {
  try {
    parse(document);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("parseDockerManifest() reads", () => {
  test("what Docker 1.10 to 24 writes, names in full", () => {
    const entries = parse([
      { Config: "c.json", RepoTags: ["hello:latest", "r.lan:5000/x:1"], Layers: ["a/layer.tar"] },
    ]);
    expect(entries).toEqual([
      {
        config: "c.json",
        names: ["docker.io/library/hello:latest", "r.lan:5000/x:1"],
        badNames: [],
        layers: ["a/layer.tar"],
        layerSources: new Map(),
      },
    ]);
  });

  test("what Docker 25 and later write", () => {
    const [image] = parse([
      { Config: "blobs/sha256/c", RepoTags: null, Layers: ["x", "x"], Parent: "p", LayerSources: { [D1]: source } },
    ]);
    expect(image).toEqual({
      config: "blobs/sha256/c",
      names: [],
      badNames: [],
      layers: ["x", "x"],
      layerSources: new Map([[D1, source]]),
    });
  });

  test("an image without layers, and no image at all", () => {
    expect(parse([{ Config: "c", Layers: null }])).toMatchObject([{ names: [], layers: [] }]);
    expect(parse([])).toEqual([]);
  });
});

describe("parseDockerManifest() names look-alikes", () => {
  test("imgpkg", () => {
    const error = fault([{ ImageIndex: null, Image: { Refs: ["r.lan/x"], Layers: [] } }]);
    expect(error.reason).toBe("docker-manifest-lookalike");
    expect(error.message).toContain("found an archive of imgpkg, expected");
  });

  test('skopeo\'s "dir:" form', () => {
    const error = fault({ schemaVersion: 2, mediaType: DOCKER_MANIFEST, config: {}, layers: [] });
    expect(error.reason).toBe("docker-manifest-lookalike");
    expect(error.hint).toContain('"dir:"');
  });
});

describe("parseDockerManifest() refuses", () => {
  test.each([
    ["an object", {}, "json-type"],
    ["an entry that is no object", ["x"], "json-type"],
    ["an entry without a config", [{ Layers: [] }], "json-missing"],
    ["layers that are no list", [{ Config: "c", Layers: "a" }], "json-type"],
    ["M-10 29: Config and Layers twice", '[{"Config":"a","Layers":[],"Config":"b","Layers":[]}]', "json-duplicate-key"],
    ["M-10 30: Config and config", '[{"Config":"a","Layers":[],"config":"b"}]', "json-folded-key"],
    ["M-10 31: Layers with a long s", '[{"Config":"a","Layers":[],"Layerſ":[]}]', "json-folded-key"],
    ["M-13 27: two values", "[][]", "json-trailing"],
    ["M-13 28: a byte order mark", "\ufeff[]", "json-encoding"],
    ["M-05 a bad key in LayerSources", [{ Config: "c", LayerSources: { "sha256:x": source } }], "bad-digest"],
    [
      "M-05 a bad digest in LayerSources",
      [{ Config: "c", LayerSources: { [D1]: { ...source, digest: "x" } } }],
      "bad-digest",
    ],
  ])("%s", (_, document, reason) => {
    expect(fault(document).reason).toBe(reason);
  });

  test("more than 20 MiB, and takes 20 MiB", () => {
    const limit = 20 * 1024 * 1024;
    expect(parse("[]".padEnd(limit))).toEqual([]);
    expect(fault("[]".padEnd(limit + 1)).reason).toBe("json-too-large");
  });
});
