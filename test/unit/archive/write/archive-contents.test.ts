import { describe, expect, test } from "vitest";
import { archiveContents, planArchiveTar } from "../../../../src/archive/write/archive-contents.ts";
import type { CopyPlan } from "../../../../src/content/contracts.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { ArchiveError } from "../../../../src/errors.ts";
import type { Descriptor } from "../../../../src/oci/descriptor.ts";
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from "../../../../src/oci/media-types.ts";
import { addImage, addIndex, memorySource, settledRoot } from "../../../support/memory-image.ts";

const source = memorySource();
const layers = [OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD].map(type => source.add(type, `a layer of type ${type}`));
const amd64 = { os: "linux", architecture: "amd64" };
const image = addImage(source, "app", { layers });
const index = addIndex(source, [{ ...image, platform: amd64 }]);
const chart = addImage(source, "chart", { configType: "application/vnd.cncf.helm.config.v1+json" });

async function plan(descriptor: Descriptor, ...names: readonly string[]): Promise<CopyPlan> {
  return await gather(source, [settledRoot(descriptor, ...names)]);
}

function hex(descriptor: Descriptor | undefined): string {
  return descriptor?.digest.slice(7) ?? "";
}

describe("archiveContents()", () => {
  test.each([
    ["universal", ["oci-layout", "index.json", "manifest.json", "imgpack.json"]],
    ["oci", ["oci-layout", "index.json", "imgpack.json"]],
    ["docker", ["manifest.json"]],
  ] as const)("archiveContents() begins the %s form with %j", async (format, expected) => {
    const { files } = archiveContents(await plan(index, "r.lan/app:1"), { platform: amd64, format });
    const names = files.map(({ name }) => name);
    expect(names.slice(0, expected.length)).toEqual(expected);
    expect(names.filter(name => /json$|layout$/.test(name) && !/[0-9a-f]{64}/.test(name))).toEqual(expected);
    expect(names.filter(name => name.startsWith("blobs/"))).toHaveLength(format === "docker" ? 0 : 6);
  });

  test("archiveContents() has layers in a given order at the end, each once", async () => {
    for (const order of [layers, layers.toReversed()]) {
      const { files } = archiveContents(await plan(image), {
        platform: amd64,
        layerOrder: [...order, ...order].map(({ digest }) => digest),
      });
      expect(files.slice(-4, -1).map(({ name }) => name)).toEqual(order.map(layer => `blobs/sha256/${hex(layer)}`));
      expect(new Set(files.map(({ name }) => name)).size).toBe(files.length);
    }
  });

  test("archiveContents() names the docker form's entries as skopeo does, by what they hold", async () => {
    const { files, names } = archiveContents(await plan(image, "r.lan/app:1"), { platform: amd64, format: "docker" });
    const [raw, gzip, zstd] = layers;
    const [first] = files;
    if (first?.bytes === undefined) throw new Error("no manifest.json");
    const [entry] = JSON.parse(Buffer.from(first.bytes).toString("utf8"));
    expect(entry.Layers).toEqual([`${hex(raw)}.tar`, `${hex(gzip)}.tar.gz`, `${hex(zstd)}.tar.zst`]);
    expect(entry.Config).toMatch(/^[0-9a-f]{64}\.json$/);
    expect(entry.RepoTags).toEqual(["r.lan/app:1"]);
    expect([...names.values()].sort()).toEqual([entry.Config, ...entry.Layers].sort());
    expect(files.map(({ name }) => name).sort()).toEqual(["manifest.json", ...names.values()].sort());
  });

  test("archiveContents() refuses a docker form without any image, and keeps artifacts in the others", async () => {
    const chartPlan = await plan(chart, "r.lan/chart:1");
    expect(() => archiveContents(chartPlan, { platform: amd64, format: "docker" })).toThrow(ArchiveError);
    const { files } = archiveContents(chartPlan, { platform: amd64 });
    expect(files.map(({ name }) => name)).not.toContain("manifest.json");
  });

  test("planArchiveTar() gives every file its place, in the same order", async () => {
    const layout = archiveContents(await plan(index), { platform: amd64 });
    const { slots, totalBytes } = planArchiveTar(layout);
    expect([...slots.keys()]).toEqual(layout.files.map(({ name }) => name));
    expect(totalBytes).toBeGreaterThan(layout.totalBytes);
  });
});
