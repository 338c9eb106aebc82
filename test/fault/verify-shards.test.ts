// Several runs share the blobs of one verification.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ProgressEvent, type PullOptions, pull, type VerifyResult, verify } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { putSharingImages } from "./shards-support.ts";

ownEnvironment();

const COUNT = 6;

async function pulled(options: Partial<PullOptions> = {}): Promise<readonly string[]> {
  const { content, host } = await ScriptedRegistry.start();
  const references = putSharingImages(content, COUNT).map(name => `${host}/${name}`);
  const file = join(await temporaryFolder(), "site.tar");
  const { volumes, output } = await pull(references, { output: file, platform: "all", ...options });
  return volumes?.map(({ path }) => path) ?? [output];
}

async function saved(): Promise<readonly string[]> {
  const layers = [3, 4, 5].map(kib =>
    tarArchive([tarEntry({ name: "file", body: seededBytes(`${kib}`, kib * 1024) })]),
  );
  return [await fileWith(dockerArchive({ tags: ["app:1"], layers }))];
}

interface Verified {
  readonly result: VerifyResult;
  /** Blobs whose bytes were read. */
  readonly read: readonly string[];
}

async function verifyShards(paths: readonly string[], of: number, diffIds?: boolean): Promise<readonly Verified[]> {
  return await Promise.all(
    Array.from({ length: of }, async (_, index) => {
      const read = new Set<string>();
      const onProgress = (event: ProgressEvent): void => void (event.kind === "bytes" && read.add(event.blob));
      return { result: await verify(paths, { shard: `${index}/${of}`, diffIds, onProgress }), read: [...read] };
    }),
  );
}

describe("verify() with a shard", () => {
  test.each<[string, () => Promise<readonly string[]>, number, boolean?]>([
    ["an archive", pulled, 3],
    ["an archive in more shards than it has blobs", pulled, 40],
    ["an archive, with --diff-ids", pulled, 3, true],
    ["volumes", async () => await pulled({ volumeSize: "60000" }), 3],
    ["volumes and another archive", async () => [...(await pulled({ volumeSize: "60000" })), ...(await saved())], 2],
    ["an archive of docker save", saved, 2],
    ["a folder", async () => await pulled({ output: `${join(await temporaryFolder(), "layout")}/` }), 3],
  ])("%s: each blob is hashed by one shard", async (_, make, of, diffIds) => {
    const paths = await make();
    const whole = await verify(paths, { diffIds });
    const shards = await verifyShards(paths, of, diffIds);
    const read = shards.flatMap(one => one.read);
    expect(new Set(read).size).toBe(read.length);
    expect(read).toHaveLength(whole.blobs);
    const sum = (count: (result: VerifyResult) => number): number =>
      shards.reduce((total, { result }) => total + count(result), 0);
    expect(sum(({ blobs }) => blobs)).toBe(whole.blobs);
    expect(sum(({ bytes }) => bytes)).toBe(whole.bytes);
    expect(shards.map(({ result }) => result.shard)).toEqual(
      shards.map((_one, index) => ({ index, of, ofBlobs: whole.blobs, ofBytes: whole.bytes })),
    );
    expect(shards.map(({ result }) => result.faults)).toEqual(shards.map(() => []));
    expect(shards.flatMap(({ result }) => result.harmed ?? [])).toEqual([]);
  });

  test.each(["layer", "header"])("a damaged %s is found: that of a blob by its shard, any other by all", async what => {
    const paths = await pulled();
    const [path = ""] = paths;
    const bytes = readFileSync(path);
    const layer = bytes.indexOf(seededBytes("system two", 30_000));
    const at = what === "layer" ? layer + 7 : layer - 512 + 3;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    const whole = await verify(paths);
    const shards = await verifyShards(paths, 3);
    const faulty = shards.filter(({ result }) => result.faults.length > 0);
    expect(faulty).toHaveLength(what === "layer" ? 1 : 3);
    for (const { result } of faulty) expect(result.faults).toEqual(whole.faults);
    expect(faulty[0]?.result.harmed).toEqual(whole.harmed);
    expect(faulty[0]?.result.needs).toEqual(whole.needs);
    for (const { result } of shards) expect(result).not.toHaveProperty("unharmed");
  });

  test("a missing volume is found by all", async () => {
    const paths = await pulled({ volumeSize: "60000" });
    const shards = await verifyShards(paths.slice(1), 2);
    expect(shards.map(({ result }) => result.missing?.[0]?.volumes)).toEqual([[1], [1]]);
  });
});

describe("imgpack verify --shard", () => {
  test("says what the shard has hashed", async () => {
    const [path = ""] = await pulled();
    const { exitCode, stdout } = await runCommand("verify", path, "--shard", "0/2");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /site\.tar: shard 0\/2, \d+ of 20 blobs, [0-9.]+ KiB of [0-9.]+ KiB, all match their digests\n$/,
    );
  });

  test("refuses stdin, which one machine alone has", async () => {
    const outcome = await runCommand("verify", "-", "--shard", "0/2");
    expect(outcome.exitCode).toBe(2);
    expect(said(outcome)).toEqual([
      "Cannot use --shard: found an archive on stdin, expected the name of a file",
      "Save the archive to a file that all machines can read: imgpack verify FILE --shard 0/2.",
    ]);
  });
});
