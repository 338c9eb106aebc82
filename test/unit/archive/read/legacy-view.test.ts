import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readBlob } from "../../../../src/content/pump.ts";
import { type Blob, blobOf, type Files, layerOf, openFiles, refusal } from "../archive-builder.ts";

const id = (digit: string): string => digit.repeat(64);
const BASE = layerOf("base");
const TOP = layerOf("top");

function layerFiles(digit: string, layer: Blob | undefined, more: object = {}): Files {
  return {
    [`${id(digit)}/VERSION`]: "1.0",
    [`${id(digit)}/json`]: JSON.stringify({ id: id(digit), os: "linux", architecture: "amd64", ...more }),
    ...(layer === undefined ? {} : { [`${id(digit)}/layer.tar`]: layer.bytes }),
  };
}

const CHAIN: Files = { ...layerFiles("2", TOP, { parent: id("1") }), ...layerFiles("1", BASE) };
const named = (names: object): Files => ({ repositories: JSON.stringify(names) });

describe("readLegacyView()", () => {
  test("gives each named layer as an image, with the chain below it", async () => {
    const archive = await openFiles({ ...CHAIN, ...named({ app: { v2: id("2"), top: id("2"), v1: id("1") } }) });
    expect(archive.dialect).toBe("legacy");
    expect(archive.images.map(({ names }) => names)).toEqual([
      ["docker.io/library/app:v2", "docker.io/library/app:top"],
      ["docker.io/library/app:v1"],
    ]);
    const [root] = archive.images;
    if (root?.kind !== "draft") throw new Error("no draft");
    expect(root.draft.layers).toMatchObject([{ digest: BASE.digest }, { digest: TOP.digest }]);
    const config = await archive.blob(root.draft.config);
    expect(JSON.parse(Buffer.from(await readBlob(config, config.size)).toString())).toMatchObject({
      rootfs: { type: "layers", diff_ids: [BASE.digest, TOP.digest] },
    });
  });

  test("takes each layer that is nobody's parent for an image where no names are", async () => {
    const archive = await openFiles({ ...CHAIN, ...layerFiles("3", BASE) });
    expect(archive.images.map(({ names }) => names)).toEqual([[], []]);
  });

  test("refuses a chain that bites its own tail, and says so", async () => {
    const files = { ...layerFiles("1", BASE, { parent: id("2") }), ...layerFiles("2", TOP, { parent: id("1") }) };
    expect(await refusal(openFiles({ ...files, ...named({ app: { "1": id("1") } }) }))).toMatchObject({
      reason: "legacy-chain",
    });
    // Nobody is the top of it.
    expect(await refusal(openFiles(files))).toMatchObject({ code: "ERR_ARCHIVE" });
    const own = layerFiles("1", BASE, { parent: id("1") });
    expect(await refusal(openFiles({ ...own, ...named({ app: { "1": id("1") } }) }))).toMatchObject({
      reason: "legacy-chain",
    });
  });

  test.each<[string, Files, string]>([
    ["a parent that is not there", layerFiles("2", TOP, { parent: id("1") }), "legacy-chain"],
    ["a name for a layer that is not there", { ...CHAIN, ...named({ app: { "1": id("9") } }) }, "legacy-chain"],
    ["a layer without its tar", layerFiles("1", undefined), "missing-layer"],
    ["a layer that is compressed", layerFiles("1", blobOf(gzipSync(BASE.bytes))), "layer-compression"],
    ["an id that is not its folder's", { ...layerFiles("1", BASE, { id: id("2") }) }, "legacy-id"],
    ["names alone", named({}), "no-image"],
  ])("refuses %s", async (_what, files, reason) => {
    expect(await refusal(openFiles(files))).toMatchObject({ reason, exitCode: 3 });
  });

  test("does not take a folder of another name for a layer", async () => {
    const files = { "../x/json": "", "abc/json": '{"id":"abc"}', [`${id("A")}/json`]: "{}" };
    const { "../x/json": _climbing, ...harmless } = files;
    expect(await refusal(openFiles(harmless))).toMatchObject({ reason: "no-metadata" });
    expect(await refusal(openFiles({ "../x/json": "{}" }))).toMatchObject({ code: "ERR_ARCHIVE" });
  });
});
