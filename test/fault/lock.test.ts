import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convert, type LockResult, lock, NotFoundError, PartialError, pull, UsageError } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockText, SHARED, storeIndex } from "./lock-support.ts";

test("lock X is the imgpack.json of pull X, whatever the platforms, and says what it takes", async () => {
  const registry = await ScriptedRegistry.start();
  const one = storeIndex(registry.content, "team/one:1");
  storeIndex(registry.content, "team/two:2", { architectures: ["arm64"] });
  const folder = await temporaryFolder();
  const references = [`${registry.host}/team/two:2`, `${registry.host}/team/one:1`];
  for (const [index, options] of [
    { platform: "linux/arm64" },
    { platform: "all" },
    { platform: "linux/arm64", sparse: "prune" },
  ].entries()) {
    const output = join(folder, `${index}.tar`);
    const given = options as { platform: string; sparse?: "prune" };
    const found = await lock(references, given);
    const result = await pull(references, { ...given, output });
    expect(found.text).toBe(await lockText(output));
    expect((await lock([output])).text).toBe(found.text);
    if (index > 0) continue;
    expect(found).toMatchObject({
      id: expect.stringMatching(/^sha256:/),
      images: [
        { name: references[1], digest: one.digest, platforms: ["linux/arm64"] },
        { name: references[0], platforms: ["linux/arm64"] },
      ],
      left: 0,
    });
    const [first, second] = found.images;
    expect(first?.sharedBytes).toBe(SHARED.length);
    expect(found.separateBytes).toBe((first?.bytes ?? 0) + (second?.bytes ?? 0));
    expect(found.bytes).toBe(found.separateBytes - SHARED.length);
    expect(found.archiveBytes).toBe((await stat(result.output)).size);
    expect(found.media.map(({ medium, count }) => [medium, count])).toEqual([
      ["FAT32", 1],
      ["DVD", 1],
      ["BD-25", 1],
      ["BD-50", 1],
    ]);
  }
});

test("a line with its own platforms and name is locked with both, as pull does", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  storeIndex(registry.content, "team/two:2");
  const images = [
    { reference: `${registry.host}/team/one:1`, platform: "all", name: "inside.lan/app:9" },
    { reference: `${registry.host}/team/two:2` },
  ];
  const output = join(await temporaryFolder(), "out.tar");
  const { text } = await lock(images, { platform: "linux/amd64" });
  await pull(images, { platform: "linux/amd64", output });
  expect(text).toBe(await lockText(output));
  const { images: rows, blobs } = JSON.parse(text);
  expect(rows).toMatchObject([
    { name: `${registry.host}/team/two:2`, absent: ["linux/arm64"] },
    { name: "inside.lan/app:9", from: `${registry.host}/team/one`, platforms: ["all"] },
  ]);
  expect(blobs.flatMap((row: readonly unknown[]) => row[3])).not.toContain("inside.lan/app");
});

test("lock --sparse fail names the platforms that are not asked for", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const found = await lock([`${registry.host}/team/one:1`], { platform: "linux/amd64", sparse: "fail" }).catch(e => e);
  expect(found).toBeInstanceOf(UsageError);
  expect(found.message).toContain("not asked for linux/arm64 of its index");
});

test("lock and pull record what --keep-going leaves out, with a reason that is the same in each run", async () => {
  const registry = await ScriptedRegistry.start({
    faults: [{ on: /\/v2\/team\/denied\//, times: 99, reply: { status: 403 } }],
  });
  storeIndex(registry.content, "team/one:1");
  const output = join(await temporaryFolder(), "out.tar");
  const references = ["one", "gone", "denied"].map(name => `${registry.host}/team/${name}:1`);
  const options = { keepGoing: true, platform: "linux/amd64" };
  const error = await lock(references, options).catch(fault => fault);
  expect(error).toBeInstanceOf(PartialError);
  const result = error.result as LockResult;
  expect(result.left).toBe(2);
  expect(JSON.parse(result.text).left).toEqual([
    { name: references[2], why: "access denied" },
    { name: references[1], why: "not found" },
  ]);
  await expect(pull(references, { ...options, output })).rejects.toBeInstanceOf(PartialError);
  expect(await lockText(output)).toBe(result.text);
  await expect(lock(references, { platform: "linux/amd64" })).rejects.toBeInstanceOf(NotFoundError);
});

test("lock of an archive of another tool makes a lock of it, without sources that no one knows", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const folder = await temporaryFolder();
  const [first, other] = [join(folder, "first.tar"), join(folder, "other.tar")];
  await pull([`${registry.host}/team/one:1`], { output: first, platform: "linux/amd64" });
  await convert(first, { output: other, format: "docker" });
  const { text, images } = await lock([other]);
  expect(images).toMatchObject([{ name: `${registry.host}/team/one:1`, platforms: ["linux/amd64"] }]);
  expect(JSON.parse(text)).toMatchObject({ platforms: ["all"], left: [] });
  expect(JSON.parse(text).blobs.every((row: readonly unknown[]) => (row[3] as unknown[]).length === 0)).toBe(true);
  for (const choice of [{ platform: "linux/amd64" }, { referrers: false }]) {
    await expect(lock([first], choice)).rejects.toThrow("found a choice of platforms or referrers");
  }
});
