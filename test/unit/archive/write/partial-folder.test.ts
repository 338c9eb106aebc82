import {
  chmod,
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
import { describe, expect, test } from "vitest";
import { layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { digestHex } from "../../../../src/oci/digest.ts";
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

  test("PartialFolder fetches only missing blobs in the next run, and reports what it kept", async () => {
    const at = await scene();
    await breakOff(at);
    const notes: string[] = [];
    const events = await write(at, { onNote: text => void notes.push(text) });
    expect(fetched(at)).toEqual([at.layers[0]]);
    const skipped = events.flatMap(event => (event.kind === "skipped" ? [event.reason] : []));
    expect(skipped).toEqual(["kept", "kept"]);
    expect(notes).toEqual([`Checking 586 KiB in "${at.partial}"`, `Resuming "${at.partial}": 586 KiB of 881 KiB kept`]);
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

  test("PartialFolder removes all files but blobs of the new images, and nothing elsewhere", async () => {
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

  test("PartialFolder follows no link instead of its blobs", async () => {
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

  test("PartialFolder keeps shared blobs for other images, and removes the rest", async () => {
    const at = await scene();
    await breakOff(at);
    const other = { ...at, ...image([3, 4]) };
    await write(other);
    expect(fetched(other)).toEqual([other.layers[1]]);
    await expectWhole(other);
  });

  test("PartialFolder starts over with restart", async () => {
    const at = await scene();
    await breakOff(at);
    await write(at, { restart: true });
    expect(fetched(at).toSorted()).toEqual(at.layers.toSorted());
    await expectWhole(at);
  });

  test("PartialFolder is closed to others again when it is resumed", async () => {
    const at = await scene();
    await breakOff(at);
    await chmod(at.partial, 0o755);
    await using _session = await layoutFolderTarget(at.out, { platform }).begin(await gather(at.source, [at.root]));
    expect((await stat(at.partial)).mode & 0o777).toBe(0o700);
  });

  test("PartialFolder keeps its blobs if the next run is stopped while it checks them", async () => {
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
