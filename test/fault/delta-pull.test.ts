// `imgpack pull --base OLD`: an archive without the layers that the other side has.
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../src/archive/open-archive.ts";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import {
  compareWithBase,
  convert,
  doctor,
  ImgpackError,
  lock,
  type PullOptions,
  type PullResult,
  pull,
} from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockOf, SHARED, storeIndex } from "./lock-support.ts";

ownEnvironment();
const PLATFORM = "linux/amd64";
const SHARED_DIGEST = sha256(SHARED);

interface Scene {
  readonly registry: ScriptedRegistry;
  readonly host: string;
  readonly folder: string;
  /** Archive of team/a:1. */
  readonly old: string;
}

/** Two months: team/a:1 is on the other side, and team/a:2 has a layer of it, and one of its own. */
async function scene(faults: readonly Fault[] = []): Promise<Scene> {
  const registry = await ScriptedRegistry.start({ faults });
  const folder = await temporaryFolder();
  storeIndex(registry.content, "team/a:1");
  const old = join(folder, "old.tar");
  await pull([`${registry.host}/team/a:1`], { output: old, platform: PLATFORM });
  storeIndex(registry.content, "team/a:2", { seed: "two" });
  return { registry, host: registry.host, folder, old };
}

interface Pulled {
  readonly path: string;
  readonly result: PullResult;
  readonly notes: readonly string[];
}

async function pulled(
  { host, folder }: Scene,
  name: string,
  options: Partial<PullOptions>,
  images: readonly string[] = ["team/a:2"],
): Promise<Pulled> {
  const path = join(folder, name);
  const notes: string[] = [];
  const result = await pull(options.lock === undefined ? images.map(image => `${host}/${image}`) : [], {
    output: path,
    ...(options.lock === undefined ? { platform: PLATFORM } : {}),
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    ...options,
  });
  return { path, result, notes };
}

async function caught(promise: Promise<unknown>): Promise<ImgpackError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ImgpackError) return error;
  throw new Error("no error");
}

async function sizesOf(path: string): Promise<ReadonlyMap<string, number>> {
  await using archive = await openArchive(path);
  return new Map([...archive.archive.entries.values()].map(({ name, size }) => [name, size]));
}

describe("pull --base", () => {
  test("imgpack lock says how large the delta is, not the archive with all layers", async () => {
    const all = await scene();
    const { path } = await pulled(all, "delta.tar", { base: all.old });
    const { id, archiveBytes } = await lock([path]);
    expect(id).toBe((await lockOf(path)).id);
    expect(archiveBytes).toBe((await stat(path)).size);
  });

  test("leaves out the layers of an archive, a folder or a lock, and says in the lock which, and who has them", async () => {
    const all = await scene();
    const { old, folder, host, registry } = all;
    await convert(old, { output: join(folder, "old/") });
    const oldLock = join(folder, "old.lock");
    await writeFile(oldLock, (await lock([`${host}/team/a:1`], { platform: PLATFORM })).text);
    const full = await pulled(all, "full.tar", {});
    registry.requests.length = 0;
    const { id } = await lockOf(old);
    const folderId = (await lockOf(join(folder, "old/"))).id;
    for (const [base, baseId] of [
      [old, id],
      [join(folder, "old/"), folderId],
      [oldLock, id],
    ] as const) {
      const { path, result, notes } = await pulled(all, "delta.tar", { base, restart: true });
      expect(result.assumed).toEqual({ blobs: 1, bytes: SHARED.length, bases: [baseId] });
      expect(result.blobBytes).toBe(full.result.blobBytes - SHARED.length);
      expect(notes).toContain("Leaving out 1 layer (2.9 KiB) that the bases have");
      const found = await lockOf(path);
      expect(found.bases).toEqual([baseId]);
      expect(found.assumes).toEqual([{ digest: SHARED_DIGEST, size: SHARED.length, repositories: [`${host}/team/a`] }]);
      expect(found.blobs.map(({ digest }) => digest)).not.toContain(SHARED_DIGEST);
      const sizes = await sizesOf(path);
      expect(sizes.get(`imgpack/absent/${SHARED_DIGEST.slice(7)}`)).toBe(0);
      expect(sizes.has(`blobs/sha256/${SHARED_DIGEST.slice(7)}`)).toBe(false);
    }
    expect(registry.seen(new RegExp(`/blobs/${SHARED_DIGEST}`))).toEqual([]);
  });

  test("asks a registry for the layers below the mapped names, and for nothing else", async () => {
    const all = await scene();
    const inside = await ScriptedRegistry.start();
    const target = `${inside.host}/mirror`;
    inside.content.addBlob(SHARED);
    const options = { base: target, layout: "full" as const };
    const { path, result } = await pulled(all, "delta.tar", options);
    expect(result.assumed).toEqual({ blobs: 1, bytes: SHARED.length, bases: [] });
    expect((await lockOf(path)).assumes?.[0]?.repositories).toEqual([`${all.host}/team/a`]);
    expect(new Set(inside.requests.map(({ method }) => method))).toEqual(new Set(["HEAD"]));
    expect(inside.seen(/manifests/)).toEqual([]);
    const repository = `mirror/${all.host.replace(":", "_")}/team/a`;
    for (const { path: asked } of inside.seen(/blobs/)) expect(asked).toContain(`/v2/${repository}/blobs/`);
  });

  test("takes what any of several bases has, and a base that is a delta has what it assumes itself", async () => {
    const all = await scene();
    const { host, registry } = all;
    const first = await pulled(all, "second.tar", { base: all.old });
    storeIndex(registry.content, "team/b:1", { seed: "two" });
    const { path, result } = await pulled(all, "third.tar", { base: first.path }, ["team/b:1"]);
    expect(result.assumed?.blobs).toBe(2);
    const [id] = [(await lockOf(first.path)).id];
    expect((await lockOf(path)).bases).toEqual([id]);
    const both = await pulled(all, "both.tar", { base: [all.old, first.path] }, ["team/b:1"]);
    expect((await lockOf(both.path)).bases).toEqual([(await lockOf(all.old)).id, id].sort());
    const compared = await compareWithBase(path, { base: first.path });
    expect(compared.images).toMatchObject([
      { state: "gone" },
      { name: `${host}/team/b:1`, state: "new", bytes: expect.any(Number) },
    ]);
  });

  test("a lock and a base give the delta of the lock, and the lock of the delta gives the delta again", async () => {
    const all = await scene();
    const { host, old } = all;
    const next = Buffer.from((await lock([`${host}/team/a:2`], { platform: PLATFORM })).text);
    const delta = await pulled(all, "delta.tar", { lock: next, base: old });
    expect(delta.result.assumed?.blobs).toBe(1);
    const again = await pulled(all, "again.tar", { lock: delta.path });
    expect((await readFile(again.path)).equals(await readFile(delta.path))).toBe(true);
    const error = await caught(pulled(all, "no.tar", { lock: delta.path, base: old }));
    expect(error.message).toBe(`Cannot use --base with a lock: found ${old}, expected the bases as in the lock`);
  });

  test("doctor of a delta names all layers that it leaves out at once", async () => {
    const all = await scene();
    const { path, result } = await pulled(all, "same.tar", { base: all.old }, ["team/a:1"]);
    expect(result.assumed?.blobs).toBe(2);
    expect((await caught(doctor(path))).message).toContain(" assumes 2 blobs (");
  });

  test("carries a layer that a referrer needs, even if the base has it", async () => {
    const all = await scene();
    const { content } = all.registry;
    content.hasReferrers = true;
    const { digest } = storeIndex(content, "team/a:2", { seed: "two" });
    const sbom = putReferrer(content, "team/a", { subject: digest, artifactType: "application/spdx+json" });
    const delta = await pulled(all, "one.tar", { base: all.old });
    const again = await pulled(all, "two.tar", { base: delta.path });
    expect((await readFile(again.path)).includes(sbom.layer)).toBe(true);
    expect(again.result.assumed?.blobs).toBe(2);
  });

  test("writes the same archive as without a base that has nothing of it, and says so", async () => {
    const all = await scene();
    const empty = join(all.folder, "empty.lock");
    const nothing = { platforms: ["all"], sparse: "keep", referrers: false, images: [], left: [], blobs: [] } as const;
    await writeFile(empty, formatLock(nothing));
    const { path, result, notes } = await pulled(all, "delta.tar", { base: empty });
    expect(result.assumed).toBeUndefined();
    expect(notes).toContain("No layer is left out: the bases have none of these images");
    const full = await pulled(all, "full.tar", {});
    expect((await readFile(path)).equals(await readFile(full.path))).toBe(true);
  });

  test("an interrupted pull resumes with a base that has changed, and writes what a first run would", async () => {
    const all = await scene();
    const { registry, folder, host } = all;
    const base = join(folder, "base.lock");
    await writeFile(base, (await lock([`${host}/team/a:1`], { platform: PLATFORM })).text);
    const own = (await lockOf((await pulled(all, "full.tar", {})).path)).blobs.find(
      ({ kind, digest }) => kind === "layer" && digest !== SHARED_DIGEST,
    );
    registry.addFault({ on: new RegExp(`GET /v2/team/a/blobs/${own?.digest}`), reply: { status: 403 }, times: 99 });
    await caught(pulled(all, "delta.tar", { base }));
    await writeFile(base, (await lock([`${host}/team/a:2`], { platform: PLATFORM })).text);
    const { path, result } = await pulled(all, "delta.tar", { base });
    expect(result.assumed?.blobs).toBe(2);
    const fresh = await pulled(all, "fresh.tar", { base });
    expect((await readFile(path)).equals(await readFile(fresh.path))).toBe(true);
  });
});

describe("pull --base with a base that cannot be used", () => {
  test("is refused before a registry is asked, with what to do", async () => {
    const all = await scene();
    const { old, folder, host, registry } = all;
    const raw = await fileWith(dockerArchive());
    registry.requests.length = 0;
    const messages = async (options: Partial<PullOptions>): Promise<string> =>
      (await caught(pulled(all, "delta.tar", options))).message;
    const where = JSON.stringify(raw);
    expect(await messages({ base: raw })).toBe(
      `Cannot leave out what is in ${where}: its layers are uncompressed, expected them as the registry has them`,
    );
    expect(await messages({ base: join(folder, "delta.tar") })).toMatch(/^Cannot read archive .*no such file/);
    expect(await messages({ base: old, output: old })).toContain("it is the input");
    expect(await messages({ base: "-" })).toContain("found stdin, expected a file, a folder or a registry");
    expect(await messages({ base: `${host}/a:1` })).toContain("found tag 1, expected HOST/PREFIX");
    expect(await messages({ layout: "full" })).toContain("no base named, expected a registry");
    expect(await messages({ base: old, layout: "full" })).toContain("no base is a registry, expected one");
    const v1 = await caught(pull(["v1://old.lan/app:1"], { output: join(folder, "v1.tar"), base: old }));
    expect(v1.message).toContain("Cannot use --base with images of a v1 registry");
    expect(registry.requests).toEqual([]);
  });

  test("credentials of the call go to one registry: not to that of a base as well", async () => {
    const all = await scene();
    const registry = { host: all.host, auth: { username: "ci", password: "secret" } };
    const error = await caught(pulled(all, "delta.tar", { base: "127.0.0.1:9/mirror", registry }));
    expect(error.message).toContain("Cannot log in to 127.0.0.1:9");
  });
});

test("imgpack pull --base prints what it left out, and --json has it", async () => {
  const all = await scene();
  const output = join(all.folder, "delta.tar");
  const image = `${all.host}/team/a:2`;
  const flags = ["--platform", PLATFORM, "--base", all.old];
  const dry = await runCommand("pull", image, "-o", output, ...flags, "--dry-run");
  expect(dry.stderr).toContain("Leaving out 1 layer (2.9 KiB) that the bases have");
  const { stdout, exitCode } = await runCommand("pull", image, "-o", output, ...flags, "--json");
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ assumed: { blobs: 1, bytes: SHARED.length } });
});
