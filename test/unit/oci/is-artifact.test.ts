import { expect, test } from "vitest";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { isArtifact } from "../../../src/oci/is-artifact.ts";
import {
  DOCKER_CONFIG,
  DOCKER_FOREIGN_LAYER_GZIP,
  DOCKER_LAYER_GZIP,
  IN_TOTO,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_LAYER_ZSTD,
} from "../../../src/oci/media-types.ts";

function of(mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${"0".repeat(64)}`, size: 1 };
}

test.each<[string, string, readonly string[], string | undefined, boolean]>([
  ["an image", OCI_CONFIG, [OCI_LAYER_ZSTD], undefined, false],
  [
    "an image of Docker with a foreign layer",
    DOCKER_CONFIG,
    [DOCKER_FOREIGN_LAYER_GZIP, DOCKER_LAYER_GZIP],
    undefined,
    false,
  ],
  ["an image without layers", DOCKER_CONFIG, [], undefined, false],
  ["a chart by its config", OCI_EMPTY, [DOCKER_LAYER_GZIP], undefined, true],
  ["a signature or attestation with an image's config", OCI_CONFIG, [IN_TOTO], undefined, true],
  ["a manifest that says so", OCI_CONFIG, [OCI_LAYER_ZSTD], "application/example", true],
  [
    "an image with a layer that no loader unpacks",
    OCI_CONFIG,
    [OCI_LAYER_ZSTD, `${OCI_LAYER_ZSTD}+encrypted`],
    undefined,
    true,
  ],
])("isArtifact() of %s", (_, config, layers, artifactType, expected) => {
  const view = { config: of(config), layers: layers.map(of), ...(artifactType === undefined ? {} : { artifactType }) };
  expect(isArtifact(view)).toBe(expected);
});
