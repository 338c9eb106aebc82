import { describe, expect, test } from "vitest";
import { selectPlatforms } from "../../../src/copy/select-platforms.ts";
import { NotFoundError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { ManifestView } from "../../../src/oci/manifest.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { type Platform, parsePlatform } from "../../../src/oci/platform.ts";
import { noise, sha256Of } from "../../support/memory-blobs.ts";

let made = 0;
function child(platform?: string | Platform, about?: Descriptor): Descriptor {
  made += 1;
  return {
    mediaType: OCI_MANIFEST,
    digest: sha256Of(noise(8, made)),
    size: 8,
    ...(platform === undefined ? {} : { platform: typeof platform === "string" ? parsePlatform(platform) : platform }),
    ...(about === undefined ? {} : { annotations: { "vnd.docker.reference.digest": about.digest } }),
  };
}

const parent: Descriptor = { mediaType: OCI_INDEX, digest: sha256Of(noise(1)), size: 1 };
const indexOf = (manifests: readonly Descriptor[]): ManifestView => ({
  kind: "index",
  mediaType: OCI_INDEX,
  manifests,
});
const select = (manifests: readonly Descriptor[], ...wanted: readonly string[]): readonly Descriptor[] =>
  selectPlatforms(wanted.map(parsePlatform), "pull")(indexOf(manifests), parent);

const amd64 = child("linux/amd64");
const arm64 = child("linux/arm64");
const armv6 = child("linux/arm/v6");
const armv7 = child("linux/arm/v7");
const amd64Note = child("unknown/unknown", amd64);
const arm64Note = child("unknown/unknown", arm64);
const all = [armv6, arm64, amd64, armv7, amd64Note, arm64Note];

describe("selectPlatforms()", () => {
  test("M-03 keeps the wanted image with the attestations that name its digest, and no other's", () => {
    expect(select(all, "linux/amd64")).toEqual([amd64, amd64Note]);
  });

  test("keeps several platforms, each once", () => {
    expect(select(all, "linux/arm64", "linux/amd64", "linux/arm64/v8")).toEqual([arm64, amd64, amd64Note, arm64Note]);
  });

  test("takes the exact variant, or the nearest older one", () => {
    expect(select(all, "linux/arm/v6")).toEqual([armv6]);
    expect(select(all, "linux/arm")).toEqual([armv7]);
    expect(select([armv6, amd64], "linux/arm/v7")).toEqual([armv6]);
    expect(() => select([armv7, amd64], "linux/arm/v6")).toThrow(NotFoundError);
  });

  test("lists what there is when nothing fits, attestations apart", () => {
    expect(() => select(all, "windows/amd64")).toThrow(
      `Cannot pull ${parent.digest}: no windows/amd64 image in it, expected one of linux/arm/v6, linux/arm64, linux/amd64, linux/arm/v7`,
    );
    expect(() => select([amd64Note], "linux/amd64")).toThrow("expected at least one image");
  });

  test("escapes what an index calls its platforms (A-20)", () => {
    const evil = child({ os: "linux\u001b[2J", architecture: "amd64" });
    expect(() => select([evil], "linux/amd64")).toThrow("linux\\u{1b}[2J/amd64");
  });

  test('keeps everything for "all"', () => {
    expect(selectPlatforms("all", "pull")(indexOf(all), parent)).toEqual(all);
  });

  test("keeps everything of an index that names no platform", () => {
    const plain = [child(), child()];
    expect(select(plain, "linux/amd64")).toEqual(plain);
    expect(select([], "linux/amd64")).toEqual([]);
  });

  test("keeps config and layers of an image, whatever is wanted", () => {
    const config = child();
    const layers = [child(), child()];
    const view: ManifestView = { kind: "image", mediaType: OCI_MANIFEST, config, layers };
    expect(selectPlatforms([parsePlatform("windows/amd64")], "pull")(view, parent)).toEqual([config, ...layers]);
  });
});
