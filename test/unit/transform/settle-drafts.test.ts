import { expect, test } from "vitest";
import type { Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { InternalError } from "../../../src/errors.ts";
import { parseManifest } from "../../../src/oci/manifest.ts";
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";
import { settleDrafts } from "../../../src/transform/settle-drafts.ts";
import { sha256Of } from "../../support/memory-blobs.ts";
import { addImage, memorySource, settledRoot } from "../../support/memory-image.ts";

const blobs = memorySource();
const draft: Root = {
  kind: "draft",
  names: ["docker.io/library/app:1"],
  draft: {
    mediaType: DOCKER_MANIFEST,
    config: blobs.add(DOCKER_CONFIG, "config"),
    layers: [blobs.add(DOCKER_LAYER, "layer")],
  },
};

test.each([
  [undefined, DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER],
  [OCI_MANIFEST, OCI_MANIFEST, OCI_CONFIG, OCI_LAYER],
])(
  "settleDrafts() with manifest type %s gives a draft its manifest, served like any blob",
  async (wanted, ...types) => {
    const [mediaType, configType, layerType] = types;
    const kept = settledRoot(addImage(blobs, "other"), "b");
    const settled = settleDrafts({ ...blobs, roots: memorySource([draft, kept]).roots }, wanted);
    const roots: Root[] = [];
    for await (const root of settled.roots()) roots.push(root);
    expect(roots[1]).toBe(kept);
    const [root] = roots;
    if (root?.kind !== "settled") throw new Error("not settled");
    expect(root.names).toEqual(draft.names);
    const bytes = await readBlob(await settled.blob(root.descriptor), root.descriptor.size);
    expect(sha256Of(bytes)).toBe(root.descriptor.digest);
    expect(parseManifest(bytes, { announced: root.descriptor.mediaType, where: "test" })).toMatchObject({
      mediaType,
      config: { mediaType: configType },
      layers: [{ mediaType: layerType }],
    });
    expect(Buffer.from(await readBlob(await settled.blob(draft.draft.config), 100)).toString()).toBe("config");
  },
);

test("settleDrafts() knows that its manifests are in memory, with a streamed archive", async () => {
  const asked: string[] = [];
  const streamed = {
    holds: () => false,
    read: async (wanted: ReadonlySet<string>) => void asked.push(...wanted),
  };
  const settled = settleDrafts({ ...blobs, roots: memorySource([draft]).roots, streamed });
  for await (const root of settled.roots()) {
    if (root.kind === "settled") expect(settled.streamed?.holds(root.descriptor.digest)).toBe(true);
  }
  const config = draft.draft.config.digest;
  expect(settled.streamed?.holds(config)).toBe(false);
  await settled.streamed?.read(new Set([config]), async () => undefined);
  expect(asked).toEqual([config]);
});

test("settleDrafts() cannot settle a layer that is still to be compressed", async () => {
  const layer = {
    key: "pending:x" as const,
    what: "layer",
    mediaType: "",
    sourceBytes: 1,
    origin: draft.draft.config,
    open: async () => expect.unreachable(),
  };
  const root = { ...draft, draft: { ...draft.draft, layers: [layer] } } as const;
  const settled = settleDrafts({ ...blobs, roots: memorySource([root]).roots });
  await expect(settled.roots()[Symbol.asyncIterator]().next()).rejects.toThrow(InternalError);
});
