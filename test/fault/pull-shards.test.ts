// Several runs share the volumes of one pull.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type PullResult, pull, verify } from "../../src/index.ts";
import { formatBytes } from "../../src/util/format.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { pullVolumes, type StoredImages, storedImages, sumsOf, VOLUME_BYTES } from "./volumes-support.ts";

ownEnvironment();

/** Volumes by their names, as one run writes them. */
async function wholeSums(stored: StoredImages): Promise<Readonly<Record<string, string>>> {
  const folder = await temporaryFolder();
  await pullVolumes(stored, folder);
  const { "site.sha256": _, ...volumes } = sumsOf(folder);
  return volumes;
}

describe("pull() with a shard", () => {
  test.each([1, 2, 3, 6])("%i shards at once in one folder write the volumes that one run writes", async of => {
    const stored = await storedImages();
    const whole = await wholeSums(stored);
    const names = Object.keys(whole);
    const folder = await temporaryFolder();
    const results = await Promise.all(
      Array.from({ length: of }, async (_, index) => await pullVolumes(stored, folder, { shard: `${index}/${of}` })),
    );
    for (const [index, { volumes = [] }] of results.entries())
      expect(volumes.map(({ number }) => number)).toEqual(
        names.map((_name, at) => at + 1).filter(number => (number - 1) % of === index),
      );
    const found = sumsOf(folder);
    expect(Object.keys(found)).toEqual(names.flatMap(name => [name.replace(".tar", ".sha256"), name]).sort());
    for (const name of names) {
      expect(found[name]).toBe(whole[name]);
      // As of a volume that is written alone.
      const sums = readFileSync(join(folder, name.replace(".tar", ".sha256")), "utf8");
      expect(sums).toBe(`${whole[name]}  ${name}\n`);
    }
    expect((await verify(names.map(name => join(folder, name)))).faults).toEqual([]);
  });

  test("a shard without a volume writes nothing, and says so", async () => {
    const stored = await storedImages();
    const folder = await temporaryFolder();
    const notes: string[] = [];
    const { volumes, blobs, shard, images } = await pullVolumes(stored, folder, {
      shard: "8/9",
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
    expect(shard).toEqual({ index: 8, of: 9, volumes: 0, ofVolumes: 4, blobs: 0, bytes: 0 });
    expect(images).toEqual([]);
    expect({ volumes, blobs }).toEqual({ volumes: [], blobs: 0 });
    expect(notes).toContain("Shard 8/9 has none of 4 volumes: nothing to do");
    expect(Object.keys(sumsOf(folder))).toEqual([]);
    // Configs say what the images run on.
    expect(stored.registry.seen(/^GET .*\/blobs\//)).toHaveLength(stored.images.length);
  });

  test("a shard that is stopped is resumed by the same command, in the same bytes", async () => {
    const stored = await storedImages();
    const whole = await wholeSums(stored);
    const folder = await temporaryFolder();
    const stop = new AbortController();
    const before = stored.registry.seen(/^GET .*\/blobs\//).length;
    stored.registry.addFault({
      on: /^GET .*\/blobs\//,
      times: Number.POSITIVE_INFINITY,
      change: () => {
        if (stored.registry.seen(/^GET .*\/blobs\//).length === before + 2) stop.abort(new Error("node lost"));
        return {};
      },
    });
    await expect(pullVolumes(stored, folder, { shard: "0/2", signal: stop.signal })).rejects.toThrow("node lost");
    expect(Object.keys(sumsOf(folder)).filter(name => name.endsWith(".tar"))).toEqual([]);
    for (const shard of ["0/2", "1/2"]) await pullVolumes(stored, folder, { shard });
    const volumes = Object.entries(sumsOf(folder)).filter(([name]) => name.endsWith(".tar"));
    expect(Object.fromEntries(volumes)).toEqual(whole);
  });

  test("a shard names its own images, blobs and bytes: in the first line, in the last one and in JSON", async () => {
    const stored = await storedImages();
    const output = join(await temporaryFolder(), "site.tar");
    const words = ["pull", ...stored.references, "-o", output, "--platform", "linux/amd64"];
    const flags = ["--volume-size", `${VOLUME_BYTES}`, "--shard"];
    const printed: string[] = [];
    for (const shard of ["0/2", "1/2"]) {
      const { stdout, exitCode } = await runCommand(...words, ...flags, shard, "--dry-run", "--json");
      expect(exitCode).toBe(0);
      const result: PullResult = JSON.parse(stdout);
      const { volumes = [], images } = result;
      const bytes = volumes.reduce((sum, volume) => sum + volume.bytes, 0);
      expect(result.shard).toMatchObject({ of: 2, volumes: 2, ofVolumes: 4, blobs: result.blobs, bytes });
      const whole = volumes.flatMap(volume => volume.images);
      expect(images.flatMap(({ names }) => names).sort()).toEqual(whole.toSorted());
      printed.push(...whole);

      const run = await runCommand(...words, ...flags, shard);
      expect(run.stdout.split("\n").filter(line => line !== "")).toHaveLength(whole.length);
      const lines = run.stderr.trim().split("\n");
      const text = `${result.blobs} blobs, ${formatBytes(bytes)}`;
      expect(lines).toContain(`Shard ${shard}: 2 of 4 volumes, ${text}`);
      const paths = volumes.map(({ path }) => path).join(", ");
      expect(lines.at(-1)).toContain(`Pulled 2 of 4 volumes, ${formatBytes(bytes)}, to ${paths}, in `);
    }
    expect(new Set(printed).size).toBe(printed.length);
  });

  test("the plan is what a dry run shows", async () => {
    const stored = await storedImages();
    const folder = await temporaryFolder();
    const planned = await pullVolumes(stored, folder, { shard: "1/2", dryRun: true });
    expect(Object.keys(sumsOf(folder))).toEqual([]);
    const { volumes, blobs, blobBytes } = await pullVolumes(stored, folder, { shard: "1/2" });
    expect(planned).toMatchObject({ volumes, blobs, blobBytes });
  });
});

describe("imgpack pull --shard", () => {
  test.each<[string, readonly string[], string, string]>([
    [
      "without --volume-size",
      ["-o", "site.tar"],
      "Cannot pull shard 0/2: found no --volume-size, expected the size of the volumes",
      "A shard of a pull is a part of its volumes. Give all shards the same size, such as --volume-size 4GiB.",
    ],
    [
      "with --volume",
      ["-o", "site.tar", "--volume-size", "1M", "--volume", "2"],
      "Cannot use --shard with --volume: found both, expected only one of them",
      "A shard writes several volumes. Leave out --volume for all volumes of the shard, or --shard for one volume.",
    ],
    [
      "to stdout",
      ["-o", "-", "--volume-size", "1M"],
      "Cannot split the output into volumes: found stdout, expected the name of a file",
      "Name a file such as site.tar: the volumes become site.v01.tar, site.v02.tar and so on.",
    ],
  ])("%s is refused", async (_, flags, message, hint) => {
    const outcome = await runCommand("pull", "registry.invalid/app:1", ...flags, "--shard", "0/2");
    expect(outcome.exitCode).toBe(2);
    expect(said(outcome)).toEqual([message, hint]);
  });

  test("a v1 registry and a need list have no shards", async () => {
    const options = { output: "x.tar", volumeSize: "1M", shard: "0/2" };
    await expect(pull(["v1://old.lan/app:1"], options)).rejects.toMatchObject({
      message: "Cannot use --shard: found a v1 registry, expected registries of the v2 protocol only",
    });
    await expect(pull([], { output: "x.tar", need: Buffer.from("{}"), shard: "0/2" })).rejects.toMatchObject({
      message: "Cannot use --shard: found a need list, expected images or a lock",
    });
  });
});
