import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { configOf } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { expectNothingTagged, fixture, layoutArchive, ownTemporaryFolder, pushTagged } from "./push-once-support.ts";

ownTemporaryFolder();

/** `xz -9e` of the tar below. */
const XZ_LAYER = Buffer.from(
  "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/ADtdADMaSda2OCGvAe5uBXM7wPyBXpfFnJDGeR9eH/i+7Y+C2YhYMwXqVAhralSHJ17yG5aQxky" +
    "p4BnEBhoAAAAkLr8UfY7dZgABV4AQAAAAnwshM7HEZ/sCAAAAAARZWg==",
  "base64",
);
const XZ_RAW = tarArchive([tarEntry({ name: "file", body: "one\n" })]);

describe("push() of layers that need another look", () => {
  test("push() refuses an xz layer that is not what its config says, in one pass as by random access", async () => {
    const layer = await fixture("hello.tar.xz");
    const archive = (diffId: string): Uint8Array =>
      tarArchive([
        tarEntry({ name: "0/layer.tar", body: layer }),
        tarEntry({
          name: "config.json",
          body: JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] } }),
        }),
        tarEntry({
          name: "manifest.json",
          body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["0/layer.tar"] }]),
        }),
      ]);
    const wrong = archive(`sha256:${"1".repeat(64)}`);
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const pushed = await pushTagged(way, wrong);
      expect(pushed.error, way).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
      expectNothingTagged(pushed);
    }
  });

  test("push() keeps two layers apart that are compressed with xz", async () => {
    const layers = [await fixture("hello.tar.xz"), XZ_LAYER];
    const raws = [gunzipSync(await fixture("hello.tar.gz")), Buffer.from(XZ_RAW)];
    const names = ["0/layer.tar", "1/layer.tar"];
    const image = tarArchive([
      ...layers.map((body, place) => tarEntry({ name: names[place] ?? "", body })),
      tarEntry({ name: "config.json", body: configOf(raws) }),
      tarEntry({
        name: "manifest.json",
        body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: names }]),
      }),
    ]);
    const found: (readonly string[])[] = [];
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const { registry, error } = await pushTagged(way, image);
      expect(error?.message, way).toBeUndefined();
      found.push([...registry.content.manifests.keys()]);
    }
    expect(found).toEqual(found.map(() => found[0]));
  });

  test("push() sends an xz layer of an OCI layout in one pass", async () => {
    const image = layoutArchive(
      XZ_LAYER,
      sha256(XZ_LAYER).slice(7),
      XZ_RAW,
      "application/vnd.docker.image.rootfs.diff.tar.xz",
    );
    const found: (readonly string[])[] = [];
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const { registry, error } = await pushTagged(way, image);
      expect(error?.message, way).toBeUndefined();
      found.push([...registry.content.manifests.keys()]);
    }
    expect(found).toEqual(found.map(() => found[0]));
  });
});
