// `imgpack push delta.tar`: what the delta leaves out must be at the target before the first byte is sent.
import { createReadStream, existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { formatNeed } from "../../src/bundle/need/format-need.ts";
import { parseNeed } from "../../src/bundle/need/parse-need.ts";
import { convert, ImgpackError, inspect, NotFoundError, type PushOptions, pull, push } from "../../src/index.ts";
import { readBundle, volumesOf } from "../support/bundle-files.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { fileWith, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockOf, SHARED, storeIndex } from "./lock-support.ts";

ownEnvironment();
const PLATFORM = "linux/amd64";
const SHARED_DIGEST = sha256(SHARED);
const WRITES = /^(?:POST|PUT|PATCH|DELETE) /;

interface Scene {
  readonly outside: ScriptedRegistry;
  readonly inside: ScriptedRegistry;
  readonly folder: string;
  /** Archive of team/a:1. */
  readonly old: string;
  /** Archive of team/b:1 without the layer that it shares with team/a:1. */
  readonly delta: string;
  readonly target: PushOptions;
}

async function scene(...faults: readonly Fault[]): Promise<Scene> {
  const outside = await ScriptedRegistry.start();
  const inside = await ScriptedRegistry.start({ faults: faults.map(fault => ({ times: 99, ...fault })) });
  const folder = await temporaryFolder();
  const [old, delta] = [join(folder, "old.tar"), join(folder, "delta.tar")];
  storeIndex(outside.content, "team/a:1");
  storeIndex(outside.content, "team/b:1");
  await pull([`${outside.host}/team/a:1`], { output: old, platform: PLATFORM });
  await pull([`${outside.host}/team/b:1`], { output: delta, platform: PLATFORM, base: old });
  return { outside, inside, folder, old, delta, target: { to: `${inside.host}/mirror` } };
}

async function caught(promise: Promise<unknown>): Promise<ImgpackError> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ImgpackError) return error;
  throw new Error("no error");
}

/** As a registry that has blobs in repositories. */
function absentFrom(repository: string): Fault {
  return { on: new RegExp(`^HEAD /v2/${repository}/blobs/${SHARED_DIGEST}`), reply: { status: 404 } };
}

const shortId = (id: string): string => id.slice(7, 19);

describe("push of a delta", () => {
  test("sends nothing but the delta if the target repository has the rest", async () => {
    const { inside, delta, target } = await scene();
    inside.content.addBlob(SHARED);
    const { images } = await push([delta], target);
    expect(images).toHaveLength(1);
    expect(inside.content.manifests.has("mirror/team/b:1")).toBe(true);
    const checked = inside.requests.findIndex(({ path }) => path.endsWith(SHARED_DIGEST));
    const sent = inside.requests.findIndex(({ method, path }) => WRITES.test(`${method} ${path}`));
    expect(checked).toBeLessThan(sent);
    expect(inside.seen(WRITES).some(({ body }) => body.includes(SHARED))).toBe(false);
  });

  test("sends nothing at all if a layer is nowhere, and says which bundle has it", async () => {
    const { inside, outside, delta, old, target, folder } = await scene();
    const need = join(folder, "need.json");
    const error = await caught(push([delta], { ...target, need }));
    const [{ id }, { id: base }] = [await lockOf(delta), await lockOf(old)];
    expect(error.message).toBe(
      `Cannot push archive "${delta}": delta ${shortId(id)} assumes 1 blob (${SHARED_DIGEST}), which neither a base nor ` +
        `${inside.host} has, expected its base, bundle ${shortId(base)}`,
    );
    expect(error.exitCode).toBe(5);
    expect(inside.seen(WRITES)).toEqual([]);
    const text = await readFile(need, "utf8");
    expect(error).toBeInstanceOf(NotFoundError);
    expect((error as NotFoundError).need).toBe(text);
    expect(parseNeed(Buffer.from(text), { where: "need", fail: (_reason, message) => new Error(message) })).toEqual({
      of: id,
      volumes: [],
      images: [`${outside.host}/team/b:1`],
      blobs: [
        {
          digest: SHARED_DIGEST,
          size: SHARED.length,
          kind: "layer",
          repositories: [`${outside.host}/team/a`, `${outside.host}/team/b`],
        },
      ],
    });
  });

  test.each<[string, (path: string) => Promise<[string, PushOptions]>]>([
    ["compressed", async path => [await fileWith(gzipSync(await readFile(path)), "delta.tar.gz"), {}]],
    ["from a pipe", async path => ["-", { stdin: createReadStream(path) }]],
  ])("sends nothing while it is read %s with --tag, and is pushed where the rest is", async (_how, streamed) => {
    const { inside, delta, old, target, folder } = await scene();
    const tag = `${inside.host}/in/app:1`;
    const pushed = async (path: string, to: PushOptions): Promise<unknown> => {
      const [input, options] = await streamed(path);
      return await push([input], { ...options, ...to });
    };
    expect((await caught(pushed(delta, { tag }))).message).toContain(" assumes 1 blob ");
    const [first = new Uint8Array()] = volumesOf(await readBundle(old), 2, new Map([[SHARED_DIGEST, 2]]));
    await writeFile(join(folder, "v1.tar"), first);
    expect((await caught(pushed(join(folder, "v1.tar"), { tag }))).message).toContain("front to back");
    expect(inside.seen(WRITES)).toEqual([]);
    inside.content.addBlob(SHARED);
    await pushed(delta, { tag });
    await push([delta], target);
    expect(inside.content.manifests.get("in/app:1")).toEqual(inside.content.manifests.get("mirror/team/b:1"));
    expect(inside.seen(WRITES).some(({ body }) => body.includes(SHARED))).toBe(false);
  });

  test("is completed by the patch of its need list, and by its base", async () => {
    const { inside, delta, old, target, folder } = await scene();
    const [need, patch] = [join(folder, "need.json"), join(folder, "patch.tar")];
    await caught(push([delta], { ...target, need }));
    await pull([], { need, output: patch });
    await push([patch, delta], target);
    expect(inside.content.blobs.has(SHARED_DIGEST)).toBe(true);
    expect(inside.content.manifests.has("mirror/team/b:1")).toBe(true);
    const other = await ScriptedRegistry.start();
    const { images } = await push([delta, old], { to: `${other.host}/mirror` });
    expect(images).toHaveLength(2);
    expect(other.content.manifests.has("mirror/team/a:1")).toBe(true);
  });

  test("mounts a layer from where the base is, below the mapped names", async () => {
    const { inside, delta, target, outside } = await scene();
    inside.content.addBlob(SHARED);
    const repository = `mirror/${outside.host.replace(":", "_")}/team`;
    inside.addFault({ ...absentFrom(`${repository}/b`), times: 2 });
    await push([delta], { ...target, layout: "full" });
    const mounts = inside.seen(/^POST .*mount=/).map(({ path }) => decodeURIComponent(path));
    expect(mounts).toContain(`/v2/${repository}/b/blobs/uploads/?mount=${SHARED_DIGEST}&from=${repository}/a`);
    expect(inside.content.manifests.has(`${repository}/b:1`)).toBe(true);
    expect(inside.seen(WRITES).some(({ body }) => body.includes(SHARED))).toBe(false);
  });

  test("copies a layer from there if the registry does not mount", async () => {
    const { inside, delta, target } = await scene(absentFrom("mirror/team/b"), {
      on: /^POST .*mount=/,
      reply: { status: 405 },
    });
    inside.content.addBlob(SHARED);
    await push([delta], target);
    expect(inside.seen(new RegExp(`^GET /v2/mirror/team/a/blobs/${SHARED_DIGEST}`))).toHaveLength(1);
    expect(inside.seen(WRITES).some(({ body }) => body.equals(SHARED))).toBe(true);
    expect(inside.content.manifests.has("mirror/team/b:1")).toBe(true);
  });

  test("a repository of the base that may not be read has nothing", async () => {
    const { inside, delta, target } = await scene(absentFrom("mirror/team/b"), {
      on: /^HEAD \/v2\/mirror\/team\/a\//,
      reply: { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
    });
    inside.content.addBlob(SHARED);
    expect((await caught(push([delta], target))).exitCode).toBe(5);
  });

  test("names the bundles of files that are no base, and of a middle that is not there", async () => {
    const { inside, outside, delta, old, target, folder } = await scene();
    storeIndex(outside.content, "team/c:1", { seed: "team/b:1" });
    const [third, wrong] = [join(folder, "third.tar"), join(folder, "wrong.tar")];
    await pull([`${outside.host}/team/c:1`], { output: third, platform: PLATFORM, base: delta });
    storeImage(outside.content, [Buffer.from("layer")]);
    await pull([`${outside.host}/app:1`], { output: wrong, platform: PLATFORM });
    const ids = new Map<string, string>();
    for (const path of [delta, old, third, wrong]) ids.set(path, shortId((await lockOf(path)).id));
    const own = (await lockOf(third)).assumes?.map(({ digest }) => digest).filter(digest => digest !== SHARED_DIGEST);
    const withoutMiddle = await caught(push([third, old], target));
    expect(withoutMiddle.message).toContain(`delta ${ids.get(third)} assumes 1 blob (${own?.[0]})`);
    expect(withoutMiddle.message).toContain(`the other files are bundle ${ids.get(old)}`);
    expect(withoutMiddle.message).toContain(`expected its base, bundle ${ids.get(delta)}`);
    const other = await caught(convert([wrong, delta], { output: join(folder, "full.tar") }));
    expect(other.message).toContain(`the other files are bundle ${ids.get(wrong)}`);
    expect(other.message).toContain(`expected its base, bundle ${ids.get(old)}`);
    expect(other.exitCode).toBe(5);
    expect(existsSync(join(folder, "full.tar"))).toBe(false);
    expect(inside.seen(WRITES)).toEqual([]);
  });
});

test("push of a set with a volume that cannot be read says so, and not only that the volume is missing", async () => {
  const { outside, folder, target } = await scene();
  const full = join(folder, "full.tar");
  await pull([`${outside.host}/team/b:1`], { output: full, platform: PLATFORM });
  const bundle = await readBundle(full);
  const where = new Map([...bundle.blobs.keys()].map((digest, index) => [digest, 1 + (index % 2)] as const));
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = volumesOf(bundle, 2, where);
  const [whole, cut] = [join(folder, "v1.tar"), join(folder, "v2.tar")];
  await writeFile(whole, first);
  await writeFile(cut, second.subarray(0, 700));
  const notes: string[] = [];
  const onProgress: PushOptions["onProgress"] = event => void (event.kind === "note" && notes.push(event.message));
  const error = await caught(push([whole, cut], { ...target, onProgress }));
  expect(error.message).toContain("volume 2 of 2 is missing");
  expect(notes.filter(note => note.includes(`archive "${cut}"`))).toHaveLength(1);
});

test("push of volumes without one of them needs what the registry lacks, and its patch takes the place of the volume", async () => {
  const { outside, inside, folder, target } = await scene();
  const full = join(folder, "full.tar");
  await pull([`${outside.host}/team/b:1`], { output: full, platform: PLATFORM });
  const bundle = await readBundle(full);
  const isLayer = (digest: string): boolean =>
    bundle.lock.blobs.some(blob => blob.digest === digest && blob.kind === "layer");
  const where = new Map([...bundle.blobs.keys()].map(digest => [digest, isLayer(digest) ? 2 : 1] as const));
  const [need, patch] = [join(folder, "need.json"), join(folder, "patch.tar")];
  for (const [index, bytes] of volumesOf(bundle, 2, where).entries()) {
    const given = join(folder, `v${index + 1}.tar`);
    await writeFile(given, bytes);
    const error = await caught(push([given], { ...target, need }));
    const lost = 2 - index;
    expect(error.message).toContain(`bundle ${shortId(bundle.lock.id)}: volume ${lost} of 2 is missing, with `);
    expect(error.message).toContain(`, which ${inside.host} does not have, expected all volumes`);
    const found = JSON.parse(await readFile(need, "utf8"));
    expect(found).toMatchObject({ of: bundle.lock.id, volumes: [lost], images: [`${outside.host}/team/b:1`] });
    expect(found.blobs).toHaveLength([...where.values()].filter(number => number === lost).length);
    expect(inside.seen(WRITES)).toEqual([]);
    await pull([], { need, output: patch });
    const { images } = await push([given, patch], { to: `${inside.host}/patched${lost}`, sparse: "keep" });
    expect(images.map(({ digest }) => digest)).toEqual(bundle.lock.images.map(({ digest }) => digest));
    inside.requests.length = 0;
    inside.content.blobs.clear();
  }
});

test("imgpack push prints the need list on stderr, or writes it to --need, which replaces need lists only", async () => {
  const { delta, inside, folder } = await scene();
  const flags = ["--to", `${inside.host}/mirror`, "--plain-http"];
  const run = await runCommand("push", delta, ...flags);
  expect([run.exitCode, run.stdout]).toEqual([5, ""]);
  expect(run.stderr).toContain('{"format":"imgpack-need","version":1,');
  const path = join(folder, "need.json");
  await writeFile(path, "mine");
  const refused = await runCommand("push", delta, ...flags, "--need", path);
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("found another file")]);
  const { id } = await lockOf(delta);
  await writeFile(path, formatNeed({ of: id, volumes: [], images: [], blobs: [] }));
  const written = await runCommand("push", delta, ...flags, "--need", path);
  expect(written.exitCode).toBe(5);
  expect(written.stderr).not.toContain("imgpack-need");
  expect(await readFile(path, "utf8")).toContain(SHARED_DIGEST);
});

test("imgpack inspect says what a delta leaves out, and what a need list and a patch are", async () => {
  const { delta, old, folder, target } = await scene();
  const [need, patch] = [join(folder, "need.json"), join(folder, "patch.tar")];
  await caught(push([delta], { ...target, need }));
  await pull([], { need, output: patch });
  const [{ id, images }, { id: base }] = [await lockOf(delta), await lockOf(old)];
  const { stdout } = await runCommand("inspect", delta);
  expect(stdout.split("\n").slice(0, 5)).toEqual([
    `Delta      ${shortId(id)}`,
    `Base       ${shortId(base)}`,
    "Left out   1 layer, 2.9 KiB",
    "Not here   1 layer of these: the registry or a base must have them",
    "",
  ]);
  const lines = [`for bundle ${shortId(id)}`, `Images     ${images[0]?.name}`, "Blobs      1, 2.9 KiB", ""];
  expect((await runCommand("inspect", patch)).stdout.split("\n")).toEqual([
    `Patch      ${lines[0]}`,
    ...lines.slice(1),
  ]);
  expect((await runCommand("inspect", need)).stdout.split("\n")).toEqual([`Need list  ${lines[0]}`, ...lines.slice(1)]);
  const whole = await inspect([delta, old]);
  expect(whole.delta).toEqual({ bases: [base], assumed: { blobs: 1, bytes: SHARED.length }, missing: [], bundle: id });
  expect(await inspect(need)).toMatchObject({ kind: "need list", need: { of: id, blobs: { count: 1 } } });
});
