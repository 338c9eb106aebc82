import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CacheFile } from "../../../src/copy/cache-file.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import { type LayerFacts, openLayerFacts } from "../../../src/copy/layer-facts.ts";
import { temporaryFolder } from "../../support/images.ts";
import { sha256Of } from "../../support/memory-blobs.ts";

const digest = (name: string): ReturnType<typeof sha256Of> => sha256Of(Buffer.from(name));
const facts = (name: string, size = 0): LayerFacts => ({
  stored: { mediaType: "application/x", digest: digest(name), size },
  diffId: digest(`${name}, inflated`),
});

describe("openLayerFacts()", () => {
  test("remembers what was read, in the file of the digest cache, which does not mind", async () => {
    const folder = await temporaryFolder();
    const first = await openLayerFacts(folder);
    await first.add("a", facts("a"));
    await first.add("a", facts("a"));
    await (await openDigestCache(folder)).addHolder("r.lan", digest("h"), "app");
    await first.add("b", facts("b", 77));
    const next = await openLayerFacts(folder);
    expect([next.find("a"), next.find("b"), next.find("c")]).toEqual([facts("a"), facts("b", 77), undefined]);
    expect((await openDigestCache(folder)).findHolder("r.lan", digest("h"), "other")).toBe("app");
    expect((await readFile(join(folder, "digests-v2.jsonl"), "utf8")).trim().split("\n")).toHaveLength(3);
  });

  test("the newest reading counts; without a folder, this run remembers alone", async () => {
    const folder = await temporaryFolder();
    const first = await openLayerFacts(folder);
    await first.add("a", facts("a"));
    await first.add("a", facts("changed"));
    expect((await openLayerFacts(folder)).find("a")).toEqual(facts("changed"));
    const memory = await openLayerFacts(undefined);
    await memory.add("a", facts("a"));
    expect(memory.find("a")).toEqual(facts("a"));
  });

  test("facts that were forgotten are not those of a later run, until the layer is read again", async () => {
    const folder = await temporaryFolder();
    const first = await openLayerFacts(folder);
    await first.add("a", facts("a"));
    await first.forget("a");
    expect((await openLayerFacts(folder)).find("a")).toBeUndefined();
    await first.add("a", facts("a"));
    expect((await openLayerFacts(folder)).find("a")).toEqual(facts("a"));
  });

  test("passes over lines that are torn, planted, or of no sense", async () => {
    const folder = await temporaryFolder();
    const known = ["v1-layer", "a", digest("a"), 1, "application/x", digest("a")];
    const bad: readonly (readonly unknown[])[] = [
      ["v1-layer", 7, digest("a"), 1, "application/x", digest("a")],
      ["v1-layer", "b", "sha256:12", 1, "application/x", digest("a")],
      ["v1-layer", "b", digest("a"), -1, "application/x", digest("a")],
      ["v1-layer", "b", digest("a"), 1, "x".repeat(200), digest("a")],
      ["v1-layer", "b", digest("a"), 1, "application/x"],
    ];
    const file = await CacheFile.open(folder, () => undefined);
    for (const line of bad) await file?.append(JSON.stringify(line));
    await file?.append('["v1-layer",oops');
    await file?.append(JSON.stringify(known));
    await appendFile(
      join(folder, "digests-v2.jsonl"),
      `${"0".repeat(32)} ${JSON.stringify(known).replace('"a"', '"p"')}\n`,
    );
    const cache = await openLayerFacts(folder);
    expect(cache.find("a")?.stored.size).toBe(1);
    expect([cache.find("b"), cache.find("p")]).toEqual([undefined, undefined]);
  });
});
