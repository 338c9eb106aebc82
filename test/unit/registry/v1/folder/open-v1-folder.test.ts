import { execFileSync } from "node:child_process";
import { appendFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ArchiveError, NotFoundError, RegistryError, StorageError } from "../../../../../src/errors.ts";
import { openV1Folder } from "../../../../../src/registry/v1/folder/open-v1-folder.ts";
import { readV1Image } from "../../../../../src/registry/v1/read-v1-image.ts";
import type { V1Session } from "../../../../../src/registry/v1/v1-store.ts";
import { catalog } from "../../../../../src/verbs/query/catalog.ts";
import { expandV1 } from "../../../../../src/verbs/v1/expand-v1.ts";
import { TestV1Folder } from "../../../../support/v1/v1-folder.ts";

const [A, B] = ["a".repeat(64), "b".repeat(64)];

async function appFolder(): Promise<TestV1Folder> {
  const folder = await TestV1Folder.create();
  await folder.addImage("library/App", "1.0", "ab", [Buffer.from("one"), Buffer.from("two")]);
  return folder;
}

async function appSession(folder: TestV1Folder): Promise<V1Session> {
  const store = await openV1Folder(folder.path);
  return await store.open({ namespace: "library", name: "App" });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("openV1Folder()", () => {
  test.each(["", "registry/"])("reads repositories, tags, chains and layers of a storage folder %s", async below => {
    await using folder = await TestV1Folder.create();
    const inner = Object.assign(Object.create(folder), { path: join(folder.path, below) }) as TestV1Folder;
    await inner.addImage("library/App", "1.0", "ab", [Buffer.from("one"), Buffer.from("two")]);
    await inner.write("repositories/library/not a name/tag_x", A);
    const notes: string[] = [];
    await using store = await openV1Folder(folder.path, note => notes.push(note));
    expect(await collect(store.repositories())).toEqual([{ namespace: "library", name: "App" }]);
    expect(notes).toEqual([expect.stringMatching(/has the folder "library\/not a name", which is no repository/)]);
    const session = await store.open({ namespace: "library", name: "App" });
    expect(await session.tags()).toEqual(["1.0"]);
    expect(await session.tag("1.0")).toBe(B);
    const image = await readV1Image(session, "1.0");
    expect(image.chain.map(({ layer }) => layer.id)).toEqual([A, B]);
    expect(image.chain[1]?.json).toMatchObject({
      size: 3,
      checksums: ["tarsum+sha256:0", expect.stringMatching(/^sha256:/)],
    });
    const layer = await session.layer(A);
    expect(layer.size).toBe(3);
    expect(Buffer.concat(await collect(layer.read(1))).toString()).toBe("ne");
  });

  test("says what is absent, and that an image is being uploaded", async () => {
    await using folder = await appFolder();
    const session = await appSession(folder);
    await expect(session.tag("2.0")).rejects.toThrow(NotFoundError);
    await expect(session.store.open({ namespace: "..", name: "x" })).rejects.toThrow(NotFoundError);
    await folder.write(`images/${A}/_inprogress`, "");
    await expect(session.json(A)).rejects.toThrow(RegistryError);
    await expect(session.layer(A)).rejects.toThrow(RegistryError);
    await expect(session.ancestry(A)).rejects.toThrow(RegistryError);
    await expect(openV1Folder(join(folder.path, "images"))).rejects.toThrow(StorageError);
  });

  test("a repository that is a symlink out of the folder does not keep the others from being listed", async () => {
    await using folder = await appFolder();
    await symlink("/", join(folder.path, "repositories", "library", "Abc"));
    await using store = await openV1Folder(folder.path);
    const names = (await collect(store.repositories())).map(({ name }) => name);
    expect(names).toEqual(["Abc", "App"]);
    await expect(store.open({ namespace: "library", name: "Abc" })).rejects.toThrow("leads out of the folder");
  });

  test("a namespace that is a symlink out of the folder fails alone, and is not asked about by other wildcards", async () => {
    await using folder = await appFolder();
    await symlink("/", join(folder.path, "repositories", "aaa"));
    await using store = await openV1Folder(folder.path);
    await expect(collect(store.repositories())).rejects.toThrow("leads out of the folder");
    const expand = async (glob: string) =>
      await expandV1([{ reference: `v1+dir:${folder.path}//${glob}` }], {
        stores: { storeFor: async () => store },
        keepGoing: true,
        onNote: () => undefined,
      });
    const { images, failed } = await expand("**");
    expect(images.map(({ tag }) => tag)).toEqual(["1.0"]);
    expect(failed).toMatchObject([{ source: `v1+dir:${folder.path}//aaa/*`, error: { exitCode: 9 } }]);
    expect((await expand("lib*/*")).failed).toEqual([]);
    const notes: string[] = [];
    const { repositories } = await catalog(`v1+dir:${folder.path}`, {
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
    expect(repositories).toEqual(["library/App"]);
    expect(notes.join()).toMatch(/leads out of the folder.*: left out/);
  });

  test("follows no symlink out of the folder, and waits for no FIFO", async () => {
    await using outside = await TestV1Folder.create();
    await outside.write("secret", "secret");
    await using folder = await appFolder();
    const session = await appSession(folder);
    await rm(join(folder.path, "images", A, "layer"));
    await symlink(join(outside.path, "secret"), join(folder.path, "images", A, "layer"));
    await expect(session.layer(A)).rejects.toThrow("a symlink that leads out of the folder");
    await rm(join(folder.path, "images", B, "layer"));
    execFileSync("mkfifo", [join(folder.path, "images", B, "layer")]);
    await expect(session.layer(B)).rejects.toThrow("no regular file");
  });

  test("a tag that is a FIFO, a folder, or a symlink out of the folder does not keep the others from being listed", async () => {
    await using folder = await appFolder();
    const session = await appSession(folder);
    const path = join(folder.path, "repositories", "library", "App");
    execFileSync("mkfifo", [join(path, "tag_fifo")]);
    await symlink("/etc/passwd", join(path, "tag_out"));
    await folder.write("repositories/library/App/tag_.old", B);
    expect(await session.tags()).toEqual([".old", "1.0", "fifo", "out"]);
    await expect(session.tag("fifo")).rejects.toThrow("no regular file");
    await expect(session.tag("out")).rejects.toThrow("leads out of the folder");
  });

  test("F-03 a layer that is written to, or replaced, while it is read is refused, also without a checksum", async () => {
    await using folder = await appFolder();
    const session = await appSession(folder);
    const path = join(folder.path, "images", A, "layer");
    const grown = (await session.layer(A)).read();
    await grown.next();
    await appendFile(path, "more");
    await expect(grown.next()).rejects.toThrow("file changed while it was read (3 bytes at first, 7 bytes now)");
    const layer = await session.layer(A);
    await rename(path, `${path}.old`);
    await writeFile(path, "another layer");
    await expect(collect(layer.read())).rejects.toThrow("replaced by another file");
  });

  test("takes a checksum as text", async () => {
    await using folder = await appFolder();
    const session = await appSession(folder);
    await folder.write(`images/${A}/_checksum`, "sha256:1\n");
    expect((await session.json(A)).checksums).toEqual(["sha256:1"]);
    await rm(join(folder.path, "images", A, "_checksum"));
    expect((await session.json(A)).checksums).toEqual([]);
  });
});

describe("readV1Image()", () => {
  test.each<[string, unknown, string]>([
    ["begins elsewhere", [A], `an ancestry from "${A}", expected one from ${B}`],
    ["is empty", [], "an empty ancestry"],
    ["ends too early", [B], `the parent ${A} of ${B}, expected none`],
    ["has a layer twice", [B, A, B], `${B} twice`],
    ["has no id", [B, "../../../x"], "expected 64 hex digits"],
    ["is too long", Array.from({ length: 1001 }, () => B), "1001 layers"],
  ])("names both sides if the ancestry %s", async (_what, ancestry, message) => {
    await using folder = await appFolder();
    await folder.write(`images/${B}/ancestry`, JSON.stringify(ancestry));
    const reading = readV1Image(await appSession(folder), "1.0");
    await expect(reading).rejects.toThrow(ArchiveError);
    await expect(reading).rejects.toThrow(message);
  });

  test("refuses JSON of another layer, another parent, and an ancestry that goes on", async () => {
    await using folder = await appFolder();
    const session = async (): Promise<V1Session> => await appSession(folder);
    await folder.write(`images/${A}/json`, JSON.stringify({ id: B }));
    await expect(readV1Image(await session(), "1.0")).rejects.toThrow(`the id ${B} in the JSON of ${A}`);
    await folder.write(`images/${A}/json`, JSON.stringify({ id: A, parent: B }));
    await expect(readV1Image(await session(), "1.0")).rejects.toThrow(`the parent ${B} of ${A}, expected none`);
    await folder.write(`images/${B}/json`, JSON.stringify({ id: B }));
    await expect(readV1Image(await session(), "1.0")).rejects.toThrow(/the parent (?:none|b+) of/);
  });

  test("asks for the JSON of a layer once per store, also for several images at once", async () => {
    await using folder = await appFolder();
    const real = await appSession(folder);
    const asked: string[] = [];
    const session: V1Session = Object.assign(Object.create(real), {
      store: real.store,
      repository: real.repository,
      tag: real.tag.bind(real),
      ancestry: real.ancestry.bind(real),
      json: async (id: string) => {
        asked.push(id);
        return await real.json(id);
      },
    });
    await Promise.all([readV1Image(session, "1.0"), readV1Image(session, "1.0")]);
    expect(asked.sort()).toEqual([A, B]);
  });
});
