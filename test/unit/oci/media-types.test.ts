import { describe, expect, test } from "vitest";
import * as types from "../../../src/oci/media-types.ts";

describe("layerCompression()", () => {
  test.each([
    ["application/vnd.docker.image.rootfs.diff.tar", "none"],
    ["application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"],
    ["application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"],
    ["application/vnd.oci.image.layer.v1.tar", "none"],
    ["application/vnd.oci.image.layer.v1.tar+gzip", "gzip"],
    ["application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "zstd"],
    ["application/vnd.in-toto+json", undefined],
    ["constructor", undefined],
  ])("of %s is %s", (mediaType, compression) => {
    expect(types.layerCompression(mediaType)).toBe(compression);
    expect(types.isLayerType(mediaType)).toBe(compression !== undefined);
  });
});

test("toGzipLayerType() stays in the family and keeps foreign layers foreign", () => {
  expect(types.toGzipLayerType(types.DOCKER_LAYER)).toBe(types.DOCKER_LAYER_GZIP);
  expect(types.toGzipLayerType(types.OCI_LAYER_ZSTD)).toBe(types.OCI_LAYER_GZIP);
  expect(types.toGzipLayerType(types.OCI_FOREIGN_LAYER)).toBe(types.OCI_FOREIGN_LAYER_GZIP);
  expect(types.toGzipLayerType(types.OCI_EMPTY)).toBeUndefined();
});

test("withLayerCompression() knows no Docker type for foreign zstd layers", () => {
  expect(types.withLayerCompression(types.DOCKER_FOREIGN_LAYER, "zstd")).toBeUndefined();
  expect(types.withLayerCompression(types.OCI_LAYER, "zstd")).toBe(types.OCI_LAYER_ZSTD);
});

test("toDockerLayerType() has no name for zstd, toOciLayerType() has one for every layer", () => {
  expect(types.toDockerLayerType(types.OCI_LAYER_GZIP)).toBe(types.DOCKER_LAYER_GZIP);
  expect(types.toDockerLayerType(types.OCI_FOREIGN_LAYER)).toBe(types.DOCKER_FOREIGN_LAYER);
  expect(types.toDockerLayerType(types.OCI_LAYER_ZSTD)).toBeUndefined();
  expect(types.toOciLayerType(types.DOCKER_LAYER_ZSTD)).toBe(types.OCI_LAYER_ZSTD);
  expect(types.toOciLayerType(types.IN_TOTO)).toBeUndefined();
});

test("predicates tell images, indexes, schema 1, configs and foreign layers apart", () => {
  expect(types.MANIFEST_ACCEPT.every(types.isManifestType)).toBe(true);
  expect(types.MANIFEST_ACCEPT.filter(types.isIndexType)).toEqual([types.OCI_INDEX, types.DOCKER_MANIFEST_LIST]);
  expect(types.MANIFEST_ACCEPT.filter(types.isImageManifestType)).toEqual([types.OCI_MANIFEST, types.DOCKER_MANIFEST]);
  expect([types.DOCKER_SCHEMA1, types.DOCKER_SCHEMA1_SIGNED].every(types.isSchema1Type)).toBe(true);
  expect(types.isManifestType(types.DOCKER_SCHEMA1)).toBe(false);
  expect(types.isImageConfigType(types.DOCKER_CONFIG) && types.isImageConfigType(types.OCI_CONFIG)).toBe(true);
  expect(types.isImageConfigType(types.OCI_EMPTY)).toBe(false);
  expect(types.isForeignLayerType(types.DOCKER_FOREIGN_LAYER)).toBe(true);
  expect(types.isForeignLayerType(types.DOCKER_LAYER)).toBe(false);
});
