import { spawnSync } from "node:child_process";
import {
  chmod,
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { StorageError } from "../../../../src/errors.ts";
import { digestHex } from "../../../../src/oci/digest.ts";
import { encodeLockRecord } from "../../../../src/util/lock-record.ts";
import { temporaryFolder } from "../../../support/images.ts";
import {
  breakOff,
  expectWhole,
  fetched,
  image,
  layerBytes,
  platform,
  type Scene,
  scene,
  write,
} from "./partial-folder-scene.ts";

const isRoot = process.getuid?.() === 0;

describe("PartialFolder", () => {
  test("PartialFolder keeps complete blobs of an interrupted run, and says how to resume", async () => {
    const at = await scene();
    const notes: string[] = [];
    await breakOff(at, text => void notes.push(text));
    expect(await readdir(at.above)).toEqual(["out.partial"]);
    expect(await readdir(at.blobs)).toEqual(expect.arrayContaining(at.layers.slice(1)));
    expect(await readdir(at.blobs)).not.toContain(at.layers[0]);
    expect(notes).toEqual([`"${at.partial}" keeps 586 KiB: run the same command again to resume, or remove it`]);
  });

  test("PartialFolder has the next run fetch only what is missing, and says what it goes on with", async () => {
    const at = await scene();
    await breakOff(at);
    const notes: string[] = [];
    const events = await write(at, { onNote: text => void notes.push(text) });
    expect(fetched(at)).toEqual([at.layers[0]]);
    const skipped = events.flatMap(event => (event.kind === "skipped" ? [event.reason] : []));
    expect(skipped).toEqual(["kept", "kept"]);
    expect(notes).toEqual([`Checking 586 KiB in "${at.partial}"`, `Resuming "${at.partial}": 586 KiB of 880 KiB kept`]);
    await expectWhole(at);
  });

  const damages: readonly (readonly [string, (blob: string, at: Scene) => Promise<unknown>])[] = [
    ["is shorter", async blob => await truncate(blob, 1000)],
    ["is altered in place", async blob => await writeFile(blob, new Uint8Array([1]), { flag: "r+" })],
    ["has a second name", async (blob, { above }) => await link(blob, join(above, "second"))],
    [
      "is a link to the right bytes",
      async (blob, { above }) => {
        await rename(blob, join(above, "moved"));
        await symlink(join(above, "moved"), blob);
      },
    ],
    [
      "is a folder",
      async blob => {
        await rm(blob);
        await mkdir(join(blob, "deeper"), { recursive: true });
      },
    ],
  ];
  test.each(damages)("PartialFolder fetches a blob again that %s", async (_what, damage) => {
    const at = await scene();
    await breakOff(at);
    await damage(join(at.blobs, at.layers[2] ?? ""), at);
    await write(at);
    expect(fetched(at).toSorted()).toEqual([at.layers[0], at.layers[2]].toSorted());
    for (const name of ["second", "moved"]) {
      const path = join(at.above, name);
      // What else had the bytes still has them.
      if ((await readdir(at.above)).includes(name)) expect((await readFile(path)).equals(layerBytes(3))).toBe(true);
      await rm(path, { force: true });
    }
    await expectWhole(at);
  });

  test("PartialFolder removes what is no blob of the new images, by whatever name, and nothing elsewhere", async () => {
    const at = await scene();
    await breakOff(at);
    await mkdir(join(at.above, "elsewhere"));
    await writeFile(join(at.above, "elsewhere", "diary"), "dear");
    await writeFile(join(at.blobs, `${at.layers[0]}.partial`), "half");
    await writeFile(join(at.blobs, "f".repeat(64)), "stray");
    await mkdir(join(at.partial, "blobs", "md5"));
    await symlink(join(at.above, "elsewhere"), join(at.partial, "blobs", "sha512"));
    await symlink(join(at.above, "elsewhere", "diary"), join(at.partial, "index.json.partial"));
    await write(at);
    expect(await readdir(join(at.above, "elsewhere"))).toEqual(["diary"]);
    await rm(join(at.above, "elsewhere"), { recursive: true });
    await expectWhole(at);
    expect(await readdir(join(at.out, "blobs"))).toEqual(["sha256"]);
  });

  test("PartialFolder follows no link that stands for its blobs", async () => {
    const at = await scene();
    await breakOff(at);
    await rename(at.blobs, join(at.above, "elsewhere"));
    await symlink(join(at.above, "elsewhere"), at.blobs);
    const before = await readdir(join(at.above, "elsewhere"));
    await write(at);
    expect(fetched(at)).toHaveLength(3);
    expect(await readdir(join(at.above, "elsewhere"))).toEqual(before);
    await rm(join(at.above, "elsewhere"), { recursive: true });
    await expectWhole(at);
  });

  test("PartialFolder keeps for other images what they share, and removes the rest", async () => {
    const at = await scene();
    await breakOff(at);
    const other = { ...at, ...image([3, 4]) };
    await write(other);
    expect(fetched(other)).toEqual([other.layers[1]]);
    await expectWhole(other);
  });

  test("PartialFolder begins afresh with restart", async () => {
    const at = await scene();
    await breakOff(at);
    await write(at, { restart: true });
    expect(fetched(at).toSorted()).toEqual(at.layers.toSorted());
    await expectWhole(at);
  });

  test("PartialFolder stops the second of two runs, and the first goes on", async () => {
    const at = await scene();
    const plan = await gather(at.source, [at.root]);
    await using first = await layoutFolderTarget(at.out, { platform }).begin(plan);
    const error = await write(at).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${at.out}": process ${process.pid} is writing it, expected no other`,
      hint: expect.any(String),
    });
    for (const blob of plan.blobs) await first.put(blob, await at.source.blob(blob));
    await first.commit([]);
    await first[Symbol.asyncDispose]();
    await expectWhole(at);
  });

  test("PartialFolder has one owner when many begin at once, and the owner finishes", async () => {
    const at = await scene();
    const plan = await gather(at.source, [at.root]);
    const runs = await Promise.allSettled(
      Array.from({ length: 8 }, async () => await layoutFolderTarget(at.out, { platform }).begin(plan)),
    );
    const owners = runs.flatMap(run => (run.status === "fulfilled" ? [run.value] : []));
    expect(owners).toHaveLength(1);
    for (const blob of plan.blobs) await owners[0]?.put(blob, await at.source.blob(blob));
    await owners[0]?.commit([]);
    await owners[0]?.[Symbol.asyncDispose]();
    await expectWhole(at);
  });

  test("PartialFolder takes over the lock of a process that is dead", async () => {
    const at = await scene();
    await breakOff(at);
    const { pid } = spawnSync("true");
    const claim = { type: "claim", id: "00".repeat(8), pid, started: { boot: "ab".repeat(16), ticks: 1 } } as const;
    await writeFile(`${at.partial}.lock`, encodeLockRecord(claim), { mode: 0o600 });
    await write(at);
    expect(fetched(at)).toEqual([at.layers[0]]);
    await expectWhole(at);
  });

  test("PartialFolder is closed to others again when it is gone on with", async () => {
    const at = await scene();
    await breakOff(at);
    await chmod(at.partial, 0o755);
    await using _session = await layoutFolderTarget(at.out, { platform }).begin(await gather(at.source, [at.root]));
    expect((await stat(at.partial)).mode & 0o777).toBe(0o700);
  });

  test("PartialFolder keeps what is there when the next run is stopped while it checks", async () => {
    const at = await scene();
    await breakOff(at);
    const before = await readdir(at.blobs);
    const stopped = AbortSignal.abort(new Error("stopped"));
    const plan = await gather(at.source, [at.root]);
    await expect(layoutFolderTarget(at.out, { platform }).begin(plan, stopped)).rejects.toThrow("stopped");
    expect(await readdir(at.above)).toEqual(["out.partial"]);
    expect((await readdir(at.blobs)).toSorted()).toEqual(
      before
        .filter(name => at.layers.includes(name) || plan.blobs.some(({ digest }) => digestHex(digest) === name))
        .toSorted(),
    );
  });

  test("PartialFolder names a missing folder", async () => {
    const at = await scene();
    await expect(write({ ...at, out: join(at.above, "nowhere", "out") })).rejects.toThrow(
      `Cannot write folder "${join(at.above, "nowhere", "out")}": no such folder, expected a writable folder above it`,
    );
  });
});

describe("PartialFolder on a small disk", () => {
  let folder = "";
  let isMounted = false;

  beforeEach(async () => {
    folder = await temporaryFolder();
    isMounted = isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=800k", "tmpfs", folder]).status === 0;
  });

  afterEach(() => {
    if (isMounted) spawnSync("umount", [folder]);
  });

  test("PartialFolder counts what is kept as room, and keeps it where there is too little", async ({ skip }) => {
    skip(!isMounted, "needs the right to mount a small file system");
    const at = await scene();
    const small = { ...at, above: folder, out: join(folder, "out"), partial: join(folder, "out.partial") };
    await expect(write(small)).rejects.toThrow(/7\d\d KiB free, expected 880 KiB/);
    expect(await readdir(folder)).toEqual([]);
    await breakOff(at);
    await cp(at.partial, small.partial, { recursive: true });
    await chmod(small.partial, 0o700);
    await writeFile(join(folder, "ballast"), new Uint8Array(100 * 1024));
    const error = await write(small).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ message: expect.stringMatching(/[0-9.]+ KiB free, expected 294 KiB$/) });
    expect(await readdir(join(small.partial, "blobs", "sha256"))).toEqual(expect.arrayContaining(at.layers.slice(1)));
  });
});
