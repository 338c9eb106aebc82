import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { type ManifestView, manifestChildren, parseManifest } from "../../../src/oci/manifest.ts";
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_SCHEMA1_SIGNED,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;
const config: Descriptor = { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 };
const layer: Descriptor = { mediaType: OCI_LAYER_GZIP, digest: DIGEST, size: 3 };
const child: Descriptor = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 4 };
const image = { schemaVersion: 2, config, layers: [layer] };
const index = { schemaVersion: 2, manifests: [child] };

function parse(document: unknown, announced?: string): ManifestView {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return parseManifest(Buffer.from(text), { where: "a test", ...(announced === undefined ? {} : { announced }) });
}

function fault(document: unknown, announced?: string): ArchiveError {
  try {
    parse(document, announced);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("parseManifest() accepts", () => {
  test("an OCI image without a media type, by its shape", () => {
    expect(parse(image)).toEqual({ kind: "image", mediaType: OCI_MANIFEST, config, layers: [layer] });
  });

  test("an OCI index without a media type, by its shape", () => {
    expect(parse(index)).toEqual({ kind: "index", mediaType: OCI_INDEX, manifests: [child] });
  });

  test("the label in the body, and an announced type that agrees, whatever its parameters", () => {
    expect(parse({ ...image, mediaType: DOCKER_MANIFEST }, `${DOCKER_MANIFEST}; charset=utf-8`).mediaType).toBe(
      DOCKER_MANIFEST,
    );
    expect(parse({ ...index, mediaType: DOCKER_MANIFEST_LIST }).mediaType).toBe(DOCKER_MANIFEST_LIST);
  });

  test("the announced type where the body has none", () => {
    expect(parse(image, DOCKER_MANIFEST).mediaType).toBe(DOCKER_MANIFEST);
    expect(parse({ ...image, mediaType: "" }, "").mediaType).toBe(OCI_MANIFEST);
  });

  test("null for an empty list, as Go writes it", () => {
    expect(parse({ ...image, layers: null })).toMatchObject({ layers: [] });
    expect(parse({ schemaVersion: 2, config })).toMatchObject({ layers: [] });
    expect(parse({ ...index, manifests: null })).toMatchObject({ manifests: [] });
  });

  test("everything a descriptor may carry", () => {
    const rich = {
      ...child,
      platform: {
        os: "windows",
        architecture: "amd64",
        "os.version": "10.0.1",
        "os.features": ["win32k"],
        variant: "v2",
      },
      artifactType: "application/x",
      annotations: { A: "1", a: "2" },
      urls: ["https://example.com/x"],
      data: "e30=",
    };
    const [found] = manifestChildren(parse({ ...index, manifests: [rich] }));
    expect(found).toEqual({
      ...child,
      platform: { os: "windows", architecture: "amd64", osVersion: "10.0.1", osFeatures: ["win32k"], variant: "v2" },
      artifactType: "application/x",
      annotations: Object.assign(Object.create(null), { A: "1", a: "2" }),
      urls: ["https://example.com/x"],
    });
  });

  test("an empty platform as none", () => {
    const [found] = manifestChildren(
      parse({ ...index, manifests: [{ ...child, platform: { os: "", architecture: "" } }] }),
    );
    expect(found).toEqual(child);
  });

  test("a platform on the config, which Docker 25.0 wrote, as none", () => {
    const platform = { os: "linux", architecture: "amd64" };
    expect(parse({ ...image, config: { ...config, platform } })).toEqual(parse(image));
  });

  test("subject, artifactType and annotations", () => {
    const view = parse({ ...image, subject: child, artifactType: "application/x", annotations: { k: "v" } });
    expect(view).toMatchObject({ subject: child, artifactType: "application/x", annotations: { k: "v" } });
  });
});

describe("parseManifest() refuses", () => {
  test.each([
    ["M-01 image and index in one", { ...image, manifests: [child] }, undefined, "manifest-shape"],
    ["M-01 an index with a config", { ...index, config }, undefined, "manifest-shape"],
    ["M-01 null beside the other shape", { ...image, manifests: null }, undefined, "manifest-shape"],
    ["M-01 neither", { schemaVersion: 2 }, undefined, "manifest-shape"],
    ["M-01 schema 1 history in an image", { ...image, history: [] }, undefined, "manifest-shape"],
    ["M-01 an image labelled index", { ...image, mediaType: OCI_INDEX }, undefined, "manifest-media-type"],
    ["M-01 an index labelled image", { ...index, mediaType: OCI_MANIFEST }, undefined, "manifest-media-type"],
    ["M-01 an image announced as index", image, OCI_INDEX, "manifest-media-type"],
    ["M-01 two labels that differ", { ...image, mediaType: DOCKER_MANIFEST }, OCI_MANIFEST, "manifest-media-type"],
    ["M-01 an unknown label", { ...image, mediaType: "text/html" }, undefined, "manifest-media-type"],
    ["M-04 schema 1", { schemaVersion: 1, fsLayers: [], history: [], signatures: [] }, undefined, "manifest-schema1"],
    ["M-04 schema 1 by its label", { schemaVersion: 1 }, DOCKER_SCHEMA1_SIGNED, "manifest-schema1"],
    ["another schema version", { ...image, schemaVersion: 3 }, undefined, "manifest-version"],
    ["no schema version", { config, layers: [] }, undefined, "json-missing"],
    ["M-05 a bad digest", { ...image, config: { ...config, digest: "sha256:../x" } }, undefined, "bad-digest"],
    [
      "M-05 a digest of another algorithm",
      { ...image, layers: [{ ...layer, digest: `md5:${"0".repeat(32)}` }] },
      undefined,
      "bad-digest",
    ],
    ["M-05 a bad subject", { ...image, subject: { ...child, digest: "" } }, undefined, "bad-digest"],
    ["M-08 a missing size", { ...image, layers: [{ ...layer, size: undefined }] }, undefined, "json-missing"],
    ["M-08 a size in quotes", { ...image, layers: [{ ...layer, size: "123" }] }, undefined, "json-number"],
    ["M-08 size -1", { ...image, layers: [{ ...layer, size: -1 }] }, undefined, "json-number"],
    ["M-08 size 2^53", { ...image, layers: [{ ...layer, size: 2 ** 53 }] }, undefined, "json-number"],
    ["a missing media type", { ...image, config: { ...config, mediaType: undefined } }, undefined, "json-missing"],
    ["no config", { schemaVersion: 2, layers: [] }, undefined, "json-missing"],
    ["a list", [], undefined, "json-type"],
    ["text", '"x"', undefined, "json-type"],
    ["M-10 folded keys", `{"schemaVersion":2,"config":{},"Layers":[]}`, undefined, "json-folded-key"],
    [
      "M-10 folded keys of a descriptor",
      JSON.stringify({ ...image, config: { ...config, Digest: DIGEST } }),
      undefined,
      "json-folded-key",
    ],
    ["an annotation that is no string", { ...image, annotations: { a: 1 } }, undefined, "json-type"],
  ])("%s", (_, document, announced, reason) => {
    expect(fault(document, announced).reason).toBe(reason);
  });

  test.each(["1e3", "1.0", "-0", "1e400", "9223372036854775808"])("M-08 size %s", size => {
    const text = JSON.stringify(image).replace('"size":3', `"size":${size}`);
    expect(fault(text).reason).toBe("json-number");
  });

  test("M-09 more than 4 MiB, and takes 4 MiB", () => {
    const text = JSON.stringify(image);
    const limit = 4 * 1024 * 1024;
    expect(parse(text.padEnd(limit)).kind).toBe("image");
    expect(fault(text.padEnd(limit + 1)).reason).toBe("json-too-large");
  });

  test("and names the pointer of a bad digest without echoing it", () => {
    const { message } = fault({ ...image, layers: [layer, { ...layer, digest: "sha256:evil" }] });
    expect(message).toBe(
      'Cannot read manifest from a test: found a string at "/layers/1/digest", expected sha256:<64 hex digits> or sha512:<128 hex digits>',
    );
  });
});

test("parseManifest() keeps annotations named like members of Object.prototype (M-12)", () => {
  const text = JSON.stringify(image).replace("{", '{"annotations":{"__proto__":"x","constructor":"y"},');
  const { annotations } = parse(text);
  expect(Object.entries(annotations ?? {})).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
  expect(Object.getPrototypeOf(annotations)).toBeNull();
});

test("manifestChildren() are config and layers, or the manifests", () => {
  expect(manifestChildren(parse(image))).toEqual([config, layer]);
  expect(manifestChildren(parse(index))).toEqual([child]);
});
