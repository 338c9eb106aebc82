import { join } from "node:path";
import { expect, test } from "vitest";
import { type LockResult, lock, NotFoundError, PartialError, type PullResult, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockText, storeIndex } from "./lock-support.ts";

test("pull with keepGoing leaves an image out whose platform or child is missing, and takes the others", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  storeIndex(registry.content, "team/arm:1", { architectures: ["arm64"] });
  const broken = storeIndex(registry.content, "team/broken:1");
  storeIndex(registry.content, "team/two:1");
  const child = broken.platforms.get("amd64")?.manifest ?? "";
  registry.content.manifests.delete(child);
  const references = ["one", "arm", "broken", "two"].map(name => `${registry.host}/team/${name}:1`);
  const output = join(await temporaryFolder(), "out.tar");
  const options = { platform: "linux/amd64", keepGoing: true };
  const error = await pull(references, { ...options, output }).catch(fault => fault);
  expect(error).toBeInstanceOf(PartialError);
  expect(error.failed).toEqual([references[1], references[2]]);
  expect((error.result as PullResult).images.map(({ names }) => names[0])).toEqual([references[0], references[3]]);
  expect(error.message).toContain("no linux/amd64 image in it, expected linux/arm64");
  expect(error.message).toContain(child);
  expect(JSON.parse(await lockText(output)).left).toEqual([
    { name: references[1], why: "not found" },
    { name: references[2], why: "not found" },
  ]);
  const locked = await lock(references, options).catch(fault => fault);
  expect((locked.result as LockResult).text).toBe(await lockText(output));
  await expect(pull(references.slice(1, 3), { ...options, output })).rejects.toBeInstanceOf(NotFoundError);
});

test("keepGoing costs no request", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  storeIndex(registry.content, "team/two:1");
  const references = ["one", "two"].map(name => `${registry.host}/team/${name}:1`);
  const output = join(await temporaryFolder(), "out.tar");
  const counts = [];
  for (const keepGoing of [false, true]) {
    const { requests } = await pull(references, { output, keepGoing, platform: "linux/amd64", restart: true });
    counts.push(requests);
  }
  expect(counts[1]).toBe(counts[0]);
});
