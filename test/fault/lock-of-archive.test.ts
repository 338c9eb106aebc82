import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import { convert, lock, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockOf, lockText, SHARED, storeIndex } from "./lock-support.ts";

test("pull writes the lock of what it took into files, folders and plain layouts", async () => {
  const registry = await ScriptedRegistry.start();
  const one = storeIndex(registry.content, "team/one:1");
  const two = storeIndex(registry.content, "team/two:2", { architectures: ["amd64"] });
  const folder = await temporaryFolder();
  const references = [`${registry.host}/team/two:2`, `${registry.host}/team/one:1`];
  const options = { platform: "linux/amd64" };
  await pull(references, { ...options, output: join(folder, "a.tar") });
  await pull(references.toReversed(), { ...options, output: join(folder, "b.tar") });
  await pull(references, { ...options, output: join(folder, "layout/") });
  const lock = await lockOf(join(folder, "a.tar"));
  const [amd, twoAmd] = [one.platforms.get("amd64"), two.platforms.get("amd64")];
  expect(lock).toMatchObject({ platforms: ["linux/amd64"], sparse: "keep", left: [] });
  expect(lock.images).toMatchObject([
    {
      name: `${registry.host}/team/one:1`,
      digest: one.digest,
      manifests: [one.digest, amd?.manifest].sort(),
      absent: ["linux/arm64"],
    },
    {
      name: `${registry.host}/team/two:2`,
      digest: two.digest,
      manifests: [two.digest, twoAmd?.manifest].sort(),
      absent: [],
    },
  ]);
  const both = [`${registry.host}/team/one`, `${registry.host}/team/two`];
  expect(lock.blobs).toContainEqual({ digest: sha256(SHARED), size: 3000, kind: "layer", repositories: both });
  expect(lock.blobs).toContainEqual(
    expect.objectContaining({ digest: amd?.config, kind: "config", repositories: [both[0]] }),
  );
  expect(lock.blobs).toHaveLength(4 + 2 + 3);
  expect(await readFile(join(folder, "b.tar"))).toEqual(await readFile(join(folder, "a.tar")));
  expect(await lockText(join(folder, "layout/"))).toBe(await lockText(join(folder, "a.tar")));
});

test("convert carries the lock along, also under a new name, and says what it changed", async () => {
  const registry = await ScriptedRegistry.start();
  const one = storeIndex(registry.content, "team/one:1");
  const folder = await temporaryFolder();
  const [first, same, renamed] = ["first.tar", "same/", "renamed.tar"].map(name => join(folder, name));
  await pull([`${registry.host}/team/one:1`], { output: first ?? "", platform: "linux/amd64" });
  await convert(first ?? "", { output: same ?? "" });
  await convert(first ?? "", { output: renamed ?? "", tag: "other.lan/app:9", sparse: "prune" });
  const before = await lockOf(first ?? "");
  expect(await lockOf(same ?? "")).toEqual(before);
  const after = await lockOf(renamed ?? "");
  expect(after).toMatchObject({ platforms: ["linux/amd64"], sparse: "prune" });
  expect(after.images).toMatchObject([
    { name: "other.lan/app:9", digest: one.digest, from: `${registry.host}/team/one`, absent: [] },
  ]);
  const written = after.images[0]?.written;
  expect(after.blobs.find(({ digest }) => digest === written)).toMatchObject({ kind: "manifest", repositories: [] });
  expect(after.blobs.find(({ digest }) => digest === sha256(SHARED))).toMatchObject({
    repositories: [`${registry.host}/team/one`],
  });
});

test("an archive with the lock of other images, or of imgpack 0.1, is converted without it", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  storeIndex(registry.content, "team/two:1");
  const folder = await temporaryFolder();
  const notes: string[] = [];
  const path = (name: string): string => join(folder, name);
  for (const name of ["one", "two"])
    await pull([`${registry.host}/team/${name}:1`], { output: path(`${name}/`), platform: "linux/amd64" });
  await writeFile(path("one/imgpack.json"), await readFile(path("two/imgpack.json")));
  await writeFile(path("two/imgpack.json"), JSON.stringify({ formatVersion: 1, roots: [] }));
  for (const name of ["one", "two"]) {
    await convert(path(name), {
      output: path(`${name}.tar`),
      sparse: "keep",
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
    const [image] = (await lockOf(path(`${name}.tar`))).images;
    expect(image).toMatchObject({ name: `${registry.host}/team/${name}:1`, absent: ["linux/arm64"] });
  }
  expect(notes.filter(text => text.includes("lock"))).toEqual([
    expect.stringMatching(
      /^The lock is ignored: Cannot use imgpack.json of folder ".*one": it names an image that the/,
    ),
  ]);
});

test("lock of an archive whose imgpack.json says something else than its manifests is refused", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const folder = join(await temporaryFolder(), "layout/");
  await pull([`${registry.host}/team/one:1`], { output: folder, platform: "linux/amd64" });
  const { id, ...contents } = await lockOf(folder);
  expect(await lock([folder])).toMatchObject({ id });
  const [blob, ...blobs] = contents.blobs;
  if (blob === undefined) throw new Error("The lock has no blobs.");
  const image = contents.images.map(one => ({ ...one, manifests: [] }));
  const referrers = [{ digest: blob.digest, subject: blob.digest }];
  const lies = [
    { ...contents, blobs: [{ ...blob, size: 1 }, ...blobs] },
    { ...contents, blobs },
    { ...contents, images: image },
    { ...contents, images: contents.images.map(one => ({ ...one, referrers })) },
  ];
  for (const lie of lies) {
    await writeFile(join(folder, "imgpack.json"), formatLock(lie));
    await expect(lock([folder])).rejects.toMatchObject({ exitCode: 3, reason: "lock-differs" });
  }
});
