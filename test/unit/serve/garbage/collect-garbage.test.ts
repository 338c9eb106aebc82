import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { collectGarbage } from "../../../../src/index.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { descriptor, digestOf, makeFolder, pushBlob, pushImage, putManifest, send, start } from "../registry-client.ts";

interface Made {
  readonly untagged: Digest;
  readonly store: string;
  /** Digests that must stay. */
  readonly needed: readonly Digest[];
}

/** Images that stay, next to one that was deleted and a push that did not end. */
async function makeStore(): Promise<Made> {
  const store = await makeFolder();
  const registry = await start({ store });
  const manifest = await pushImage(registry, "app", "1", { layer: "first" });
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [descriptor(OCI_MANIFEST, manifest)],
  });
  await putManifest(registry, "/v2/app/manifests/all", index, OCI_INDEX);
  await pushImage(registry, "app", "sig", { layer: "signature", subject: descriptor(OCI_MANIFEST, manifest) });
  const untagged = await pushImage(registry, "app", "2", { layer: "untagged" });
  await send(registry, "DELETE", "/v2/app/manifests/2");
  const old = await pushImage(registry, "app", "old", { layer: "of the deleted image" });
  await send(registry, "DELETE", `/v2/app/manifests/${digestOf(old)}`);
  await pushBlob(registry, "app", "of a push that did not end");
  // The other repository needs it, this one does not.
  await pushImage(registry, "other", "1", { layer: "shared" });
  await pushBlob(registry, "app", "shared");
  await registry.close();
  const blobs = ["{}", "first", "signature", "untagged", "shared"].map(text => digestOf(text));
  return {
    store,
    untagged: digestOf(untagged),
    needed: [...blobs, digestOf(manifest), digestOf(index), digestOf(untagged)],
  };
}

const GARBAGE = ["of the deleted image", "of a push that did not end"].map(text => digestOf(text)).sort();

async function filesOf(store: string): Promise<readonly string[]> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

async function linkElsewhere(folder: string, target: string): Promise<void> {
  await rename(folder, target);
  await symlink(target, folder);
}

async function namesIn(store: string): Promise<readonly string[]> {
  return (await filesOf(store)).map(path => relative(store, path));
}

function contentFile(store: string, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return join(store, "blobs", "sha256", hex.slice(0, 2), hex);
}

async function expectWhole(store: string): Promise<void> {
  const registry = await start({ store });
  for (const [name, tags] of [
    ["app", ["1", "all", "sig"]],
    ["other", ["1"]],
  ] as const) {
    for (const tag of tags) expect((await send(registry, "GET", `/v2/${name}/manifests/${tag}`)).status, tag).toBe(200);
  }
  for (const layer of ["first", "signature", "untagged"])
    expect((await send(registry, "GET", `/v2/app/blobs/${digestOf(layer)}`)).body.toString()).toBe(layer);
  expect((await send(registry, "GET", `/v2/other/blobs/${digestOf("shared")}`)).body.toString()).toBe("shared");
  await registry.close();
}

test("shows what no manifest needs and changes nothing; then removes exactly that", async () => {
  const { store, needed, untagged } = await makeStore();
  const before = await filesOf(store);
  const shown = await collectGarbage(store);
  expect(shown).toMatchObject({ removed: false, repositories: 2, manifests: 5, bytes: 46, kept: [] });
  expect(shown.untagged).toEqual([{ repository: "app", digest: untagged }]);
  expect(shown.content.map(({ digest }) => digest).sort()).toEqual(GARBAGE);
  expect(shown.links.map(({ repository, digest }) => `${repository} ${digest}`).sort()).toEqual(
    [...GARBAGE, digestOf("shared")].map(digest => `app ${digest}`).sort(),
  );
  expect(await filesOf(store)).toEqual(before);
  expect(await collectGarbage(store, { remove: true })).toMatchObject({ removed: true, bytes: 46 });
  const after = await filesOf(store);
  expect(before.filter(path => !after.includes(path))).toHaveLength(5);
  for (const digest of needed) expect(after).toContain(contentFile(store, digest));
  await expectWhole(store);
  expect(await collectGarbage(store, { remove: true })).toMatchObject({ content: [], links: [], bytes: 0 });
});

test("an end at any operation leaves a whole store, and the next run removes the rest", async () => {
  onTestFinished(() => watchOperations(undefined));
  const made = await makeStore();
  const swept = await makeFolder();
  await cp(made.store, swept, { recursive: true });
  await collectGarbage(swept, { remove: true });
  const rest = await namesIn(swept);
  let isDone = false;
  for (let last = 0; !isDone; last += 1) {
    const store = await makeFolder();
    await cp(made.store, store, { recursive: true });
    let count = 0;
    watchOperations(async (_, run) => {
      if (count >= last) throw Object.assign(new Error("killed"), { code: "EIO" });
      count += 1;
      return await run();
    });
    isDone = await collectGarbage(store, { remove: true }).then(
      () => true,
      () => false,
    );
    watchOperations(undefined);
    // As after a kill.
    await rm(join(store, "lock"), { force: true });
    await expectWhole(store);
    await collectGarbage(store, { remove: true });
    expect(await namesIn(store)).toEqual(rest);
    expect(last).toBeLessThan(60);
  }
});

describe("what cannot be read is reported, and what it may refer to stays", () => {
  test.each([
    ["the bytes of a manifest", "content"],
    ["the record of a manifest", "manifests"],
    ["the name of a repository", "name"],
  ])("%s", async (_, part) => {
    const { store } = await makeStore();
    const folders = await readdir(join(store, "repositories"));
    const texts = await Promise.all(
      folders.map(async each => await readFile(join(store, "repositories", each, "name"), "utf8")),
    );
    const folder = join(store, "repositories", folders[texts.findIndex(text => text.includes('"app"'))] ?? "");
    const [record = ""] = await readdir(join(folder, "manifests"));
    const paths = {
      content: contentFile(store, record.replace("-", ":") as Digest),
      manifests: join(folder, "manifests", record),
      name: join(folder, "name"),
    };
    const path = paths[part as keyof typeof paths];
    await writeFile(path, "damaged");
    const result = await collectGarbage(store, { remove: true });
    expect(result.kept.map(doubt => doubt.path)).toEqual([path]);
    expect([result.content, result.links]).toEqual([[], []]);
  });

  test.each(["", "blobs", "manifests", "tags"])(
    "a folder of a repository that is a link: nothing goes, here and where it leads (%j)",
    async part => {
      const { store } = await makeStore();
      const outside = await makeFolder();
      const folders = (await readdir(join(store, "repositories"))).map(name => join(store, "repositories", name, part));
      for (const [index, folder] of folders.entries()) await linkElsewhere(folder, join(outside, `${index}`));
      const before = [await filesOf(store), await filesOf(outside)];
      const { kept } = await collectGarbage(store, { remove: true });
      expect(kept).toEqual(folders.toSorted().map(folder => ({ path: join(folder), found: "a symbolic link" })));
      expect([await filesOf(store), await filesOf(outside)]).toEqual(before);
    },
  );

  test.each(["uploads", "blobs", "blobs/sha256", "repositories"])(
    "a folder of the store that is a link is refused, as the server does: %s",
    async part => {
      const { store } = await makeStore();
      const outside = await makeFolder();
      await linkElsewhere(join(store, part), join(outside, "moved"));
      const before = await filesOf(outside);
      await expect(collectGarbage(store, { remove: true })).rejects.toMatchObject({
        message: `Cannot use "${join(store, part)}": found a symbolic link, expected a folder of the store`,
      });
      expect(await filesOf(outside)).toEqual(before);
    },
  );
});

test("removes only files with names that the server writes", async () => {
  const { store } = await makeStore();
  const folder = join(store, "blobs", "sha256", "ff");
  await mkdir(folder, { recursive: true });
  const others = [join(folder, "notes.txt"), join(folder, "0".repeat(64)), join(store, "blobs", "notes.txt")];
  for (const path of others) await writeFile(path, "not ours");
  await mkdir(join(folder, "f".repeat(64)));
  await collectGarbage(store, { remove: true });
  for (const path of others) expect(await readFile(path, "utf8")).toBe("not ours");
  expect(await readdir(folder)).toContain("f".repeat(64));
});

test("refuses a store that is served, and a folder that is none", async () => {
  const store = await makeFolder();
  await expect(collectGarbage(store)).rejects.toMatchObject({
    code: "ERR_STORAGE",
    message: expect.stringMatching(/found no store of version 2, expected one$/),
  });
  expect(await readdir(store)).toEqual([]);
  await start({ store });
  await expect(collectGarbage(store, { remove: true })).rejects.toMatchObject({
    code: "ERR_STORAGE",
    message: expect.stringContaining(`store in use by process ${process.pid}`),
  });
});
