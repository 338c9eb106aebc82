import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { ManifestCache, type ManifestCacheOptions } from "../../../../src/registry/manifests/manifest-cache.ts";
import type { RepositoryManifests } from "../../../../src/registry/manifests/repository-manifests.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { sha256Of } from "../../../support/memory-blobs.ts";

let base = "";
let folder = "";

beforeEach(async () => {
  base = join(await temporaryFolder(), "cache");
  folder = join(base, "manifests");
});
afterEach(() => watchOperations(undefined));

const repositoryOf = async (name: string): Promise<Repository> =>
  new Repository(await connectRegistry("127.0.0.1:5000", { plainHttp: true }), name);

/** A manifest that differs by `text`, with so many bytes more. */
function manifest(text: string, more = 0) {
  const annotations = { text, more: "x".repeat(more) };
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256Of(Buffer.from("{}")), size: 2 };
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], annotations };
  const bytes = Buffer.from(JSON.stringify(document));
  return { digest: sha256Of(bytes), raw: { mediaType: OCI_MANIFEST, bytes } };
}

/** What a run keeps: for each tag of a repository a manifest. */
async function keep(tags: readonly string[], name = "app", options: ManifestCacheOptions & { more?: number } = {}) {
  const cache = new ManifestCache(base, options);
  const known = await cache.of(await repositoryOf(name));
  for (const tag of tags) known?.add(manifest(tag, options.more).digest, manifest(tag, options.more).raw, tag);
  await cache.save();
}

/** What the next run knows, and is told. */
async function next(name = "app"): Promise<{ known: RepositoryManifests | undefined; notes: readonly string[] }> {
  const notes: string[] = [];
  const cache = new ManifestCache(base, { onNote: note => void notes.push(note) });
  return { known: await cache.of(await repositoryOf(name)), notes };
}

const pathOf = async (): Promise<string> => join(folder, (await readdir(folder))[0] ?? "");

test("keeps manifests and tags for the next run, in a folder and files that only their owner can read", async () => {
  await keep(["1", "2"]);
  const { known, notes } = await next();
  expect(known?.digestOf("2")).toBe(manifest("2").digest);
  expect(known?.find(manifest("2").digest)).toEqual(manifest("2").raw);
  expect(known?.digestOf("3")).toBeUndefined();
  expect(notes).toEqual([]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(await pathOf())).mode & 0o777).toBe(0o600);
});

test("knows nothing of another repository", async () => {
  await keep(["1"]);
  const { known } = await next("other");
  expect(known?.digestOf("1")).toBeUndefined();
  expect(known?.find(manifest("1").digest)).toBeUndefined();
});

test("a run that reads nothing new writes nothing", async () => {
  await keep(["1"]);
  const before = await lstat(await pathOf());
  const operations: string[] = [];
  watchOperations(async (operation, run) => {
    operations.push(operation.kind);
    return await run();
  });
  await keep(["1"]);
  expect(operations).toEqual([]);
  expect((await lstat(await pathOf())).size).toBe(before.size);
});

test("a line that a killed run left incomplete, damaged lines and other types count for nothing", async () => {
  await keep(["1"]);
  const path = await pathOf();
  const content = await readFile(path, "latin1");
  const { digest, raw } = manifest("2");
  const body = raw.bytes.toString("base64");
  const foreign = [
    `manifest ${digest} application/vnd.oci.image.index.v1+json ${body}`,
    `manifest ${manifest("3").digest} ${OCI_MANIFEST} ${body}`,
    `tag ../../x ${digest}`,
    "tag 9 sha256:zz",
    `manifest ${manifest("4").digest} ${OCI_MANIFEST} ${manifest("4").raw.bytes.toString("base64").slice(0, 50)}`,
  ];
  await writeFile(path, `${content}${foreign.join("\n")}`);
  const { known } = await next();
  for (const tag of ["2", "3", "4"]) expect(known?.find(manifest(tag).digest)).toBeUndefined();
  for (const tag of ["../../x", "9"]) expect(known?.digestOf(tag)).toBeUndefined();
  await keep(["5"]);
  const later = (await next()).known;
  for (const tag of ["1", "5"]) expect(later?.find(manifest(tag).digest)).toEqual(manifest(tag).raw);
});

describe("is not used, after a note, and stays as it is:", () => {
  const unchanged = async (path: string, expected: string): Promise<void> => {
    const before = await lstat(path);
    const { known, notes } = await next();
    expect(known).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining(expected)]);
    await keep(["2"]);
    const after = await lstat(path);
    expect([after.ino, after.size, after.mode]).toEqual([before.ino, before.size, before.mode]);
  };
  const FILE = "to be a file of imgpack that only you can read and write";
  const FOLDER = 'expected "manifests" to be a folder of yours that others cannot write to';

  test("a file that others can read", async () => {
    await keep(["1"]);
    await chmod(await pathOf(), 0o640);
    await unchanged(await pathOf(), FILE);
  });

  test("a link, also a hard one, and a FIFO", async () => {
    await keep(["1"]);
    const path = await pathOf();
    const aside = join(base, "aside");
    await rename(path, aside);
    await symlink(aside, path);
    await unchanged(path, FILE);
    await rename(path, join(base, "link"));
    await link(aside, path);
    await unchanged(path, FILE);
    await rename(path, join(base, "hard"));
    execFileSync("mkfifo", [path]);
    await unchanged(path, FILE);
  });

  test("a file that imgpack did not write", async () => {
    await keep(["1"]);
    await writeFile(await pathOf(), "holiday notes");
    await unchanged(await pathOf(), FILE);
  });

  test("a folder that others can write to, and a link to a folder", async () => {
    await keep(["1"]);
    await chmod(folder, 0o777);
    await unchanged(folder, FOLDER);
    await chmod(folder, 0o700);
    await rename(folder, join(base, "aside"));
    await symlink(join(base, "aside"), folder);
    await unchanged(folder, FOLDER);
  });

  test.runIf(process.getuid?.() === 0)("a file or folder of another user", async () => {
    await keep(["1"]);
    await chown(await pathOf(), 12_345, 12_345);
    await unchanged(await pathOf(), FILE);
    await chown(folder, 12_345, 12_345);
    await unchanged(folder, FOLDER);
  });
});

test.runIf(process.getuid?.() === 0)("root makes no folder in the home of someone else", async () => {
  await mkdir(base);
  await chown(base, 12_345, 12_345);
  await keep(["1"]);
  expect(await readdir(base)).toEqual([]);
});

test.each(["/dev/null", "/proc/self/none"])("a cache folder that cannot be used is no error: %s", async path => {
  const cache = new ManifestCache(path, { onNote: () => expect.unreachable("a note") });
  const known = await cache.of(await repositoryOf("app"));
  known?.add(manifest("1").digest, manifest("1").raw, "1");
  await cache.save();
});

test("a full disk is no error", async () => {
  watchOperations(async ({ kind }, run) => {
    if (kind === "write") throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    return await run();
  });
  await keep(["1"]);
  watchOperations(undefined);
  expect((await next()).known?.find(manifest("1").digest)).toBeUndefined();
  await keep(["1"]);
  expect((await next()).known?.find(manifest("1").digest)).toEqual(manifest("1").raw);
});

test("the file of a repository that grows too large starts over with what this run has read", async () => {
  const options = { maxRepositoryBytes: 20_000, more: 1000 };
  for (let run = 0; run < 30; run += 1) await keep([`${run}`], "app", options);
  expect((await lstat(await pathOf())).size).toBeLessThanOrEqual(20_000);
  const { known } = await next();
  expect(known?.find(manifest("29", 1000).digest)).toEqual(manifest("29", 1000).raw);
  expect(known?.digestOf("0")).toBeUndefined();
});

test("the files that were written longest ago are removed beyond the limit, and no file of others", async () => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const id = "ab".repeat(32);
  const foreign = { "holiday.jpg": "photo".repeat(999), [`${id}.manifests`]: "mine".repeat(999) };
  const left = { [`${id}.manifests.0123456789ab`]: "imgpack man" };
  for (const [name, text] of Object.entries({ ...foreign, ...left })) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    await utimes(join(folder, name), new Date(0), new Date(0));
  }
  for (let index = 0; index < 6; index += 1) {
    const before = new Set(await readdir(folder));
    await keep(["1"], `app${index}`, { maxBytes: 6000, more: 1000 });
    const added = (await readdir(folder)).filter(name => !before.has(name));
    for (const name of added) await utimes(join(folder, name), index + 1, index + 1);
  }
  const names = await readdir(folder);
  for (const name of Object.keys(foreign)) expect(names).toContain(name);
  for (const name of Object.keys(left)) expect(names).not.toContain(name);
  const kept = await Promise.all(
    [0, 1, 2, 3, 4, 5].map(async index => (await next(`app${index}`)).known?.digestOf("1")),
  );
  expect(kept.slice(0, 3)).toEqual([undefined, undefined, undefined]);
  expect(kept[5]).toBe(manifest("1", 1000).digest);
});
