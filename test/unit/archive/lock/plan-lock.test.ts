import { expect, test } from "vitest";
import { planLock } from "../../../../src/archive/lock/plan-lock.ts";
import { formatLock } from "../../../../src/bundle/lock/format-lock.ts";
import { parseLock } from "../../../../src/bundle/lock/parse-lock.ts";
import type { Root } from "../../../../src/content/contracts.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { InternalError } from "../../../../src/errors.ts";
import { OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { addImage, addIndex, memorySource } from "../../../support/memory-image.ts";

const SETTINGS = { platforms: "all", sparse: "keep" } as const;

test("planLock() refuses a plan that lacks a layer of an image: it would get its name without it", async () => {
  const source = memorySource();
  const layers = [source.add(OCI_LAYER_GZIP, "one"), source.add(OCI_LAYER_GZIP, "two")];
  const descriptor = addImage(source, "app", { layers });
  const root: Root = { kind: "settled", names: ["r.lan/app:1"], descriptor };
  const plan = await gather(source, [root]);
  expect(planLock(plan, SETTINGS).blobs).toHaveLength(4);
  const without = { ...plan, blobs: plan.blobs.filter(({ digest }) => digest !== layers[1]?.digest) };
  expect(() => planLock(without, SETTINGS)).toThrow(InternalError);
});

test("planLock() calls an absent child by its digest if its platform is no platform, or cannot be read aloud", async () => {
  const source = memorySource();
  const amd = { os: "linux", architecture: "amd64" };
  const child = (name: string, platform: object): object => ({ ...addImage(source, name), platform });
  const odd = addImage(source, "odd");
  const attestation = addImage(source, "attestation");
  const descriptor = addIndex(source, [
    child("amd", amd),
    child("windows", { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1" }),
    { ...odd, platform: { os: "\u001b[31m", architecture: "red" } },
    { ...attestation, platform: { os: "unknown", architecture: "unknown" } },
  ]);
  const root: Root = { kind: "settled", names: [], descriptor };
  const plan = await gather(source, [root], undefined, view =>
    view.kind === "index" ? view.manifests.slice(0, 1) : view.kind === "image" ? [view.config, ...view.layers] : [],
  );
  const lock = planLock(plan, SETTINGS);
  expect(lock.images[0]?.absent).toEqual([odd.digest, attestation.digest, "windows(10.0.20348.1)/amd64"].sort());
  expect(parseLock(Buffer.from(formatLock(lock)), { where: "test" })).toEqual(lock);
});

test("planLock() lists referrers with their subject, type and tag, and says that they were looked for", async () => {
  const source = memorySource();
  const image = addImage(source, "app");
  const config = source.add("application/vnd.cncf.notary.signature", "{}");
  const signature = source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] });
  const sbom = addImage(source, "sbom", { extra: { artifactType: "application/spdx+json" } });
  const root: Root = {
    kind: "settled",
    names: ["r.lan/app:1"],
    descriptor: image,
    referrers: {
      lookup: "complete",
      leftOut: 0,
      found: [
        { descriptor: signature, tag: "sha256-1.sig" },
        { descriptor: sbom, subject: image.digest },
      ],
    },
  };
  const carried = await gather(source, [
    root,
    { kind: "settled", names: [], descriptor: signature },
    { kind: "settled", names: [], descriptor: sbom },
  ]);
  const lock = planLock({ ...carried, roots: [root] }, SETTINGS);
  expect(lock).toMatchObject({ referrers: true, images: [{ manifests: [image.digest], lookup: "complete" }] });
  expect(lock.images[0]?.referrers).toEqual(
    [
      { digest: signature.digest, type: "application/vnd.cncf.notary.signature", tag: "sha256-1.sig" },
      { digest: sbom.digest, subject: image.digest, type: "application/spdx+json" },
    ].sort((left, right) => (left.digest < right.digest ? -1 : 1)),
  );
});
