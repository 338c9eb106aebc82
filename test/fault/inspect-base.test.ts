// `imgpack inspect NEW --base OLD`: what is new compared with what is there.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import { type Comparison, compareWithBase, lock, pull } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockOf, storeIndex } from "./lock-support.ts";

ownEnvironment();
const PLATFORM = "linux/amd64";

/** Name without the registry, state, and bytes to carry, of each image. */
function rowsOf({ images }: Comparison, host: string): readonly (readonly [string, string, number])[] {
  return images.map(({ name, state, bytes }) => [name.replace(`${host}/`, ""), state, bytes] as const);
}

interface Delivery {
  readonly host: string;
  readonly registry: ScriptedRegistry;
  readonly old: { readonly tar: string; readonly lock: string };
  readonly next: { readonly tar: string; readonly lock: string };
}

/** An archive and a lock of two months: team/b moves, team/c goes, team/d comes, and team/a stays. */
async function twoDeliveries(): Promise<Delivery> {
  const registry = await ScriptedRegistry.start();
  const { host, content } = registry;
  const folder = await temporaryFolder();
  const deliver = async (month: string, names: readonly string[]): Promise<Delivery["old"]> => {
    const references = names.map(name => `${host}/${name}:1`);
    const tar = join(folder, `${month}.tar`);
    const path = join(folder, `${month}.lock`);
    await pull(references, { output: tar, platform: PLATFORM });
    await writeFile(path, (await lock(references, { platform: PLATFORM })).text);
    return { tar, lock: path };
  };
  for (const name of ["a", "b", "c"]) storeIndex(content, `team/${name}:1`);
  const old = await deliver("old", ["team/a", "team/b", "team/c"]);
  storeIndex(content, "team/b:1", { seed: "moved" });
  storeIndex(content, "team/d:1");
  return { host, registry, old, next: await deliver("next", ["team/a", "team/b", "team/d"]) };
}

/** Bytes of the blobs of one lock that another one does not have. */
async function recount(one: string, other: string): Promise<number> {
  const there = new Set((await lockOf(other)).blobs.map(({ digest }) => digest));
  return (await lockOf(one)).blobs.reduce((sum, { digest, size }) => sum + (there.has(digest) ? 0 : size), 0);
}

describe("inspect --base with archives and locks", () => {
  test("an archive and its lock say the same of another archive or lock, to the byte", async () => {
    const { host, old, next } = await twoDeliveries();
    const results: Comparison[] = [];
    for (const source of [next.tar, next.lock])
      for (const base of [old.tar, old.lock]) results.push(await compareWithBase(source, { base }));
    const [first] = results;
    if (first === undefined) throw new Error("no result");
    const expected = await recount(next.tar, old.tar);
    expect(first.bytes).toMatchObject({ new: expected, gone: await recount(old.tar, next.tar), unassigned: 0 });
    expect(rowsOf(first, host)).toEqual([
      ["team/a:1", "unchanged", 0],
      ["team/b:1", "changed", expect.any(Number)],
      ["team/c:1", "gone", 0],
      ["team/d:1", "new", expect.any(Number)],
    ]);
    expect(first.images.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(expected);
    for (const { images, bytes } of results.slice(1))
      expect({ images, bytes }).toEqual({ images: first.images, bytes: first.bytes });
    expect(first.base).toEqual([
      { source: old.tar, kind: "archive", id: (await lockOf(old.tar)).id, images: 3, blobs: 13, hasRawLayers: false },
    ]);
    const same = await compareWithBase(next.tar, { base: [old.lock, next.lock] });
    expect(same.bytes).toMatchObject({ new: 0, unassigned: 0 });
    expect(new Set(rowsOf(same, host).map(([, state]) => state))).toEqual(new Set(["unchanged", "gone"]));
  });

  test("the table has a line per image, and names that differ between bases are given with ids and digests", async () => {
    const { host, old, next } = await twoDeliveries();
    const run = await runCommand("inspect", next.lock, "--base", old.lock, "--base", next.tar);
    expect(run.exitCode).toBe(0);
    const lines = run.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^IMAGE +STATE +DIGEST +WAS +CARRY$/);
    expect(lines.slice(1, 5).map(line => line.split(/ {2,}/).slice(0, 2))).toEqual([
      [`${host}/team/a:1`, "unchanged"],
      [`${host}/team/b:1`, "unchanged"],
      [`${host}/team/c:1`, "gone"],
      [`${host}/team/d:1`, "unchanged"],
    ]);
    expect(lines[5]).toBe("0 new, 0 changed, 3 unchanged, 1 gone");
    expect(lines[6]).toMatch(/^To carry 0 bytes, already there [\d.]+ KiB, no longer needed [\d.]+ KiB$/);
    const [earlier, later] = [await readLock(old.tar, "team/b"), await readLock(next.tar, "team/b")];
    expect(run.stderr).toContain(
      `team/b:1 differs between the bases: ${earlier.digest} in lock "${old.lock}" with id ${earlier.id}, ` +
        `${later.digest} in archive "${next.tar}" with id ${later.id}\n`,
    );
    const { stdout } = await runCommand("inspect", next.tar, "--base", old.lock, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "comparison",
      bundle: { source: next.tar },
      bytes: { unassigned: 0 },
    });
  });

  const readLock = async (path: string, name: string): Promise<{ digest: string; id: string }> => {
    const { id, images } = await lockOf(path);
    return { id: id.slice(7, 19), digest: images.find(image => image.name.includes(name))?.digest ?? "" };
  };

  test("an empty base has nothing, and a lock of no images is new in nothing", async () => {
    const empty = await fileWith(
      Buffer.from(
        formatLock({ platforms: ["all"], sparse: "keep", referrers: false, images: [], left: [], blobs: [] }),
      ),
      "empty.lock",
    );
    const all = await compareWithBase("fixtures/skopeo122-oci.tar", { base: empty });
    expect(all.images.map(({ state }) => state)).toEqual(["new"]);
    expect(all.bytes).toMatchObject({ shared: 0, gone: 0 });
    const none = await compareWithBase(empty, { base: "fixtures/skopeo122-oci.tar" });
    expect(none.bytes).toEqual({ new: 0, shared: 0, gone: all.bytes.new, unassigned: 0 });
  });
});

describe("inspect --base with archives of other tools", () => {
  test.each([
    "docker20-twice.tar",
    "docker28-containerd-partial.tar",
    "ctr21-partial.tar",
    "oras13-referrers.tar",
    "crane020-legacy.tar",
    "hello.tar.xz",
    "dirs/crane020-oci-nested",
    "dirs/skopeo19-dir-multi",
  ])("%s is all there compared with itself", async name => {
    const { images, bytes } = await compareWithBase(`fixtures/${name}`, { base: `fixtures/${name}` });
    expect(new Set(images.map(({ state }) => state))).toEqual(new Set(["unchanged"]));
    expect(bytes).toEqual({ new: 0, shared: expect.any(Number), gone: 0, unassigned: 0 });
    expect(bytes.shared).toBeGreaterThan(0);
  });

  test("raw layers of docker save are compared with each other, and said not to be those of a registry", async () => {
    const base = "fixtures/docker28-classic-hello.tar";
    const same = await runCommand("inspect", "fixtures/docker20-hello.tar", "--base", base, "--json");
    expect(JSON.parse(same.stdout)).toMatchObject({ bytes: { new: 0 }, base: [{ source: base, hasRawLayers: true }] });
    const other = await runCommand("inspect", "fixtures/skopeo122-docker.tar", "--base", base);
    expect(other.stderr).toContain(
      `"${base}" has raw layers: they cannot be matched with the compressed layers of a registry, so they count as different ones\n`,
    );
  });
});
