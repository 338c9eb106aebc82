import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import type { LockContents } from "../../src/bundle/lock/lock.ts";
import { convert, listArchive, type ProgressEvent, pull } from "../../src/index.ts";
import { filesOf } from "../support/archive-files.ts";
import { temporaryFolder } from "../support/images.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarOf } from "../unit/archive/archive-builder.ts";
import { lockOf, storeIndex } from "./lock-support.ts";

const LIES: Readonly<Record<string, (lock: LockContents) => LockContents>> = {
  "a layer is left out": lock => ({
    ...lock,
    blobs: lock.blobs.filter(({ kind }, at) => kind !== "layer" || at !== lastOf(lock)),
  }),
  "a size is altered": lock => ({ ...lock, blobs: lock.blobs.map(blob => ({ ...blob, size: blob.size + 1 })) }),
  "a platform that is left out is altered": lock => ({
    ...lock,
    images: lock.images.map(image => ({ ...image, absent: ["linux/s390x"] })),
  }),
  "a manifest is left out": lock => ({
    ...lock,
    images: lock.images.map(image => ({ ...image, manifests: image.manifests.slice(1) })),
  }),
};

const TEXT = /lock-differs|The lock is ignored: Cannot use imgpack.json of folder ".*": it (lacks|has|says)/;

test.each(Object.keys(LIES))("a lock with a right id is not believed by inspect and convert: %s", async lie => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const folder = join(await temporaryFolder(), "layout/");
  await pull([`${registry.host}/team/one:1`], { output: folder, platform: "linux/amd64" });
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
  const isIgnored = (): boolean => notes.splice(0).some(text => TEXT.test(text));
  const { id: _, ...contents } = await lockOf(folder);
  expect(await listArchive(folder, { onProgress })).toBeDefined();
  expect(isIgnored()).toBe(false);
  await writeFile(join(folder, "imgpack.json"), formatLock(LIES[lie]?.(contents) ?? contents));
  expect(await listArchive(folder, { onProgress })).toBeUndefined();
  expect(isIgnored()).toBe(true);
  await convert(folder, { output: join(await temporaryFolder(), "out.tar"), sparse: "keep", onProgress });
  expect(isIgnored()).toBe(true);
});

test("a lock that leaves out a signature under cosign's tag is not believed", async () => {
  const registry = await ScriptedRegistry.start();
  const { digest } = storeIndex(registry.content, "team/one:1");
  putReferrer(registry.content, "team/one", {
    tag: digest.replace(":", "-").concat(".sig"),
    layer: Buffer.from("signature"),
  });
  const folder = join(await temporaryFolder(), "layout/");
  await pull([`${registry.host}/team/one:1`], { output: folder, platform: "linux/amd64" });
  const { id: _, ...contents } = await lockOf(folder);
  expect(contents.images[0]?.referrers).toHaveLength(1);
  expect(await listArchive(folder)).toBeDefined();
  const images = contents.images.map(image => ({ ...image, referrers: [] }));
  await writeFile(join(folder, "imgpack.json"), formatLock({ ...contents, images }));
  expect(await listArchive(folder)).toBeUndefined();
});

test("an edited lock that alone names a signature is refused: without it, the signature would be left behind", async () => {
  const registry = await ScriptedRegistry.start();
  const { digest } = storeIndex(registry.content, "team/one:1");
  putReferrer(registry.content, "team/one", {
    tag: digest.replace(":", "-").concat(".sig"),
    layer: Buffer.from("signature"),
  });
  const path = join(await temporaryFolder(), "in.tar");
  await pull([`${registry.host}/team/one:1`], { output: path, platform: "linux/amd64" });
  const { id: _, ...contents } = await lockOf(path);
  const lie = LIES["a size is altered"];
  const files = { ...(await filesOf(path)), "imgpack.json": formatLock(lie?.(contents) ?? contents) };
  await writeFile(path, tarOf(files));
  const refused = { reason: "lock-differs", exitCode: 3, hint: expect.stringContaining("save the images again") };
  const output = join(await temporaryFolder(), "out.tar");
  await expect(convert(path, { output, sparse: "keep" })).rejects.toMatchObject(refused);
  await expect(listArchive(path)).rejects.toMatchObject(refused);
});

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const ARCHIVES = [...readdirSync(FIXTURES).filter(name => name.endsWith(".tar")), "signed/signed.tar"];

test.each(ARCHIVES)("the lock of what imgpack makes of %s says what its manifests say", async name => {
  const notes: string[] = [];
  const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
  const folder = await temporaryFolder();
  for (const output of [`${folder}/layout/`, `${folder}/out.tar`]) {
    await convert(join(FIXTURES, name), { output, sparse: "keep" });
    expect(await listArchive(output, { onProgress })).toBeDefined();
  }
  expect(notes.filter(text => text.includes("lock"))).toEqual([]);
});

function lastOf({ blobs }: LockContents): number {
  return blobs.findLastIndex(({ kind }) => kind === "layer");
}
