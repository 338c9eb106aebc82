import { expect, test } from "vitest";
import { InternalError } from "../../../src/errors.ts";
import { buildDockerManifest, buildImageIndex, buildImageManifest } from "../../../src/oci/build-manifest.ts";
import { type Descriptor, describeBytes } from "../../../src/oci/descriptor.ts";
import { parseManifest } from "../../../src/oci/manifest.ts";
import * as types from "../../../src/oci/media-types.ts";

const D1 = `sha256:${"1".repeat(64)}` as const;
const D2 = `sha256:${"2".repeat(64)}` as const;
const config: Descriptor = { mediaType: types.OCI_CONFIG, digest: D1, size: 2 };

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test("buildDockerManifest() writes Docker's fields in Docker's order and Docker's types", () => {
  const layers = [{ mediaType: types.OCI_LAYER_GZIP, digest: D2, size: 3, annotations: { a: "b" } }];
  const { mediaType, bytes } = buildDockerManifest(config, layers);
  expect(mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
  expect(textOf(bytes)).toBe(
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",' +
      `"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"${D1}"},` +
      `"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":3,"digest":"${D2}"}]}`,
  );
});

test("buildDockerManifest() keeps the urls of foreign layers", () => {
  const urls = ["https://example.com/layer"];
  const layers = [{ mediaType: types.DOCKER_FOREIGN_LAYER_GZIP, digest: D2, size: 3, urls }];
  const { bytes } = buildDockerManifest(config, layers);
  expect(parseManifest(bytes, { where: "a test" })).toMatchObject({ layers });
});

test("buildDockerManifest() has no type for zstd layers", () => {
  const layers = [{ mediaType: types.OCI_LAYER_ZSTD, digest: D2, size: 3 }];
  expect(() => buildDockerManifest(config, layers)).toThrow(InternalError);
});

test("buildImageManifest() translates Docker's types and leaves other types alone", () => {
  const docker = { ...config, mediaType: types.DOCKER_CONFIG };
  const layers = [
    { mediaType: types.DOCKER_LAYER_ZSTD, digest: D2, size: 3 },
    { mediaType: types.IN_TOTO, digest: D1, size: 4 },
  ];
  const { mediaType, bytes } = buildImageManifest(docker, layers);
  expect(mediaType).toBe(types.OCI_MANIFEST);
  expect(parseManifest(bytes, { where: "a test", announced: mediaType })).toEqual({
    kind: "image",
    mediaType,
    config,
    layers: [{ mediaType: types.OCI_LAYER_ZSTD, digest: D2, size: 3 }, layers[1]],
  });
});

test("buildImageIndex() reads back as it was given, with annotations in one order", () => {
  const manifests: readonly Descriptor[] = [
    {
      mediaType: types.OCI_MANIFEST,
      digest: D1,
      size: 5,
      platform: { os: "windows", architecture: "amd64", osVersion: "10.0.1", osFeatures: ["win32k"] },
      annotations: { b: "2", a: "1", __proto__x: "3" },
      artifactType: "application/x",
    },
    {
      mediaType: types.OCI_MANIFEST,
      digest: D2,
      size: 6,
      platform: { os: "linux", architecture: "arm", variant: "v7" },
    },
  ];
  const { mediaType, bytes } = buildImageIndex(manifests, { z: "1" });
  const view = parseManifest(bytes, { where: "a test", announced: mediaType });
  expect(view).toMatchObject({ kind: "index", manifests, annotations: { z: "1" } });
  const turned = manifests.map(entry => ({
    ...entry,
    ...(entry.annotations ? { annotations: { a: "1", __proto__x: "3", b: "2" } } : {}),
  }));
  expect(textOf(buildImageIndex(turned, { z: "1" }).bytes)).toBe(textOf(bytes));
});

test("describeBytes() gives the digest that image-spec states for the empty config", () => {
  expect(describeBytes(types.OCI_EMPTY, Buffer.from("{}"))).toEqual({
    mediaType: types.OCI_EMPTY,
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    size: 2,
  });
});
