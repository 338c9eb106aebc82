import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { checkLayoutHeader, LAYOUT_HEADER, type LayoutRoot, parseLayoutIndex } from "../../../src/oci/layout.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../src/oci/media-types.ts";

const D1 = `sha256:${"1".repeat(64)}`;
const D2 = `sha256:${"2".repeat(64)}`;
const FULL = "io.containerd.image.name";
const REF = "org.opencontainers.image.ref.name";

function entry(digest: string, annotations?: Record<string, string>, size = 5): object {
  return { mediaType: OCI_MANIFEST, digest, size, ...(annotations ? { annotations } : {}) };
}

function roots(...manifests: object[]): readonly LayoutRoot[] {
  return parseLayoutIndex(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })), "a test").roots;
}

function reason(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ArchiveError) return error.reason;
    throw error;
  }
  throw new Error("accepted");
}

describe("checkLayoutHeader()", () => {
  test.each([LAYOUT_HEADER, '{"imageLayoutVersion": "1.0.0"}', '{\n "imageLayoutVersion":"1.0.0","x":1}\n'])(
    "accepts %j",
    text => {
      expect(() => checkLayoutHeader(Buffer.from(text), "a test")).not.toThrow();
    },
  );

  test.each([
    ['{"imageLayoutVersion":"1.0.1"}', "layout-version"],
    ['{"imageLayoutVersion":1}', "json-type"],
    ["{}", "json-missing"],
    ['{"ImageLayoutVersion":"1.0.0"}', "json-folded-key"],
    [`${LAYOUT_HEADER}${LAYOUT_HEADER}`, "json-trailing"],
  ])("refuses %s", (text, expected) => {
    expect(reason(() => checkLayoutHeader(Buffer.from(text), "a test"))).toBe(expected);
  });
});

describe("parseLayoutIndex() names", () => {
  test.each([
    ["Docker and containerd", { [FULL]: "docker.io/library/hello:1", [REF]: "1" }, ["docker.io/library/hello:1"], []],
    ["skopeo, a whole name", { [REF]: "foo/bar:v1" }, ["docker.io/foo/bar:v1"], []],
    ["skopeo, with a registry", { [REF]: "registry.lan:5000/foo:v1" }, ["registry.lan:5000/foo:v1"], []],
    ["a tag alone", { [REF]: "latest" }, [], ["latest"]],
    ["a familiar name", { [FULL]: "hello" }, ["docker.io/library/hello:latest"], []],
    ["containerd, by digest", { [FULL]: `docker.io/library/hello@${D1}` }, [`docker.io/library/hello@${D1}`], []],
    ["containerd, by tag and digest", { [FULL]: `r.lan/hello:1@${D1}` }, [`r.lan/hello:1@${D1}`], []],
    ["by digest, with its tag", { [FULL]: `r.lan/hello@${D1}`, [REF]: "1" }, [`r.lan/hello:1@${D1}`], []],
    ["by digest, with no tag", { [FULL]: `r.lan/hello@${D1}`, [REF]: `@${D1}` }, [`r.lan/hello@${D1}`], []],
    ["no reference (M-18)", { [FULL]: "r.lan/HELLO:1", [REF]: "ｌatest" }, [], []],
    ["a bad full name beside a tag", { [FULL]: "NOT A NAME", [REF]: "1" }, [], ["1"]],
    ["a path (M-19)", { [REF]: "../../etc/passwd" }, [], []],
    ["nothing", undefined, [], []],
  ])("%s", (_, annotations, names, tags) => {
    expect(roots(entry(D1, annotations))).toMatchObject([{ names, tags }]);
  });

  test("several entries with one digest as one image with several names", () => {
    const found = roots(
      entry(D1, { [FULL]: "r.lan/a:1" }),
      entry(D2, { [FULL]: "r.lan/b:1" }),
      entry(D1, { [FULL]: "r.lan/a:2" }),
      entry(D1, { [FULL]: "r.lan/a:1" }),
      entry(D1, { [REF]: "stable" }),
    );
    expect(found).toMatchObject([
      { descriptor: { digest: D1 }, names: ["r.lan/a:1", "r.lan/a:2"], tags: ["stable"] },
      { descriptor: { digest: D2 }, names: ["r.lan/b:1"], tags: [] },
    ]);
  });
});

describe("parseLayoutIndex() refuses", () => {
  test.each([
    [
      "one digest with two sizes",
      { schemaVersion: 2, manifests: [entry(D1), entry(D1, undefined, 6)] },
      "descriptor-conflict",
    ],
    ["an image manifest", { schemaVersion: 2, config: entry(D1), layers: [] }, "manifest-media-type"],
    [
      "a Docker manifest list",
      { schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.list.v2+json", manifests: [] },
      "manifest-media-type",
    ],
    ["a bad digest", { schemaVersion: 2, manifests: [entry("sha256:x")] }, "bad-digest"],
  ])("%s", (_, document, expected) => {
    expect(reason(() => parseLayoutIndex(Buffer.from(JSON.stringify(document)), "a test"))).toBe(expected);
  });

  test("more than 20 MiB, and takes 20 MiB", () => {
    const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
    const limit = 20 * 1024 * 1024;
    expect(parseLayoutIndex(Buffer.from(text.padEnd(limit)), "a test").roots).toEqual([]);
    expect(reason(() => parseLayoutIndex(Buffer.from(text.padEnd(limit + 1)), "a test"))).toBe("json-too-large");
  });
});
