import { expect, test } from "vitest";
import type { DockerImage } from "../../../../src/archive/read/docker-view.ts";
import type { OciRoot } from "../../../../src/archive/read/oci-roots.ts";
import { reconcileViews } from "../../../../src/archive/read/reconcile-views.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { DOCKER_CONFIG, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";

const COUNT = 2000;

function digest(number: number): Digest {
  return `sha256:${number.toString(16).padStart(64, "0")}`;
}

test("an archive of 2,000 images opens in a time that is linear in their number: it took 20 s", async () => {
  const roots = Array.from({ length: COUNT }, (_, index): OciRoot => {
    const descriptor = { mediaType: OCI_MANIFEST, digest: digest(2 * index), size: 1 };
    const names = [`registry.lan/team/app${index}:1.0`];
    const images = new Map([[digest(2 * index + 1), 1]]);
    const nothing = new Set<Digest>();
    return { descriptor, names, badNames: [], tags: [], images, artifacts: nothing, parts: nothing, listed: [] };
  });
  const images = roots.map(
    ({ names }, index): DockerImage => ({
      names,
      badNames: [],
      config: { mediaType: DOCKER_CONFIG, digest: digest(2 * index + 1), size: 1 },
      diffIds: [digest(9)],
      layerPaths: ["layer"],
      hasDigestNames: false,
      isClassic: false,
      hasUntaggedName: false,
    }),
  );
  const docker = { images, blobs: undefined, hasDotNames: false, artifacts: 0, layersOf: async () => [] };
  const before = process.cpuUsage();
  const found = await reconcileViews("test", { docker: docker as never, oci: roots, stray: [] });
  const { user } = process.cpuUsage(before);
  expect(found).toHaveLength(COUNT);
  expect(user / 1e6).toBeLessThan(5);
});
