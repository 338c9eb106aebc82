import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { putSharingImages, sentBlobs } from "../../fault/shards-support.ts";
import { ownEnvironment, runCommand } from "../../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../../support/images.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";

ownEnvironment();

const HELLO = fileURLToPath(new URL("../../../fixtures/hello.tar.gz", import.meta.url));

/** `planned` of `--json`. */
async function plannedOf(...words: readonly string[]): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const stdout = new PassThrough();
  expect(await main([...words, "--dry-run", "--json"], { stdout, stderr: new PassThrough() })).toBe(0);
  stdout.end();
  return JSON.parse(await text(stdout)).planned;
}

async function lastLine(...words: readonly string[]): Promise<string> {
  const stderr = new PassThrough();
  expect(await main([...words, "--dry-run"], { stdout: new PassThrough(), stderr })).toBe(0);
  stderr.end();
  return (await text(stderr)).trimEnd().split("\n").at(-1) ?? "";
}

test("--dry-run ends with what a run sends or writes, and that nothing was", async () => {
  const registry = await ScriptedRegistry.start();
  storeImage(registry.content, [Buffer.alloc(3000, "layer")]);
  const image = `${registry.host}/app:1`;
  const unsent =
    /^A run sends at most 2 blobs, [\d.]+ KiB, and 1 tag; blobs that the registry has are not sent again\. Nothing was sent\.$/;
  expect(await lastLine("push", HELLO, "--registry", registry.host)).toMatch(unsent);
  expect(await lastLine("copy", image, `${registry.host}/other:1`)).toMatch(unsent);
  const stdout = new PassThrough();
  const words = ["push", HELLO, "--registry", registry.host, "--dry-run", "--json"];
  expect(await main(words, { stdout, stderr: new PassThrough() })).toBe(0);
  stdout.end();
  expect(JSON.parse(await text(stdout))).toMatchObject({
    planned: { blobs: 2, bytes: expect.any(Number), tags: 1 },
  });
  const unwritten = /^A run writes 2 blobs, [\d.]+ KiB, to out\.tar\. Nothing was written\.$/;
  expect(await lastLine("pull", image, "-o", "out.tar")).toMatch(unwritten);
  expect(await lastLine("convert", HELLO, "out.tar")).toMatch(unwritten);
  expect(registry.seen(/^(PUT|POST|PATCH)/)).toEqual([]);
});

describe("images that share layers: --dry-run counts each blob once, as a run sends it", () => {
  const COUNT = 6;

  async function twoRegistries(): Promise<readonly [from: ScriptedRegistry, to: ScriptedRegistry]> {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    putSharingImages(from.content, COUNT);
    // A repository has only what was sent to it or mounted.
    to.content.isApart = true;
    return [from, to];
  }

  async function listOf(from: ScriptedRegistry): Promise<string> {
    const lines = Array.from({ length: COUNT }, (_, image) => `${from.host}/team/app-${image}:1`);
    return await fileWith(Buffer.from(lines.join("\n")), "list.txt");
  }

  function sentTo(to: ScriptedRegistry): { readonly blobs: number; readonly bytes: number } {
    const sent = sentBlobs(to);
    return { blobs: sent.length, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  test.each([[[]], [["--shard", "0/2"]], [["--shard", "1/2"]]])("copy %j", async more => {
    const [from, to] = await twoRegistries();
    const words = ["copy", "-f", await listOf(from), "--to", to.host, ...more];
    const planned = await plannedOf(...words);
    expect(to.seen(/^(PUT|POST|PATCH)/)).toEqual([]);
    expect((await runCommand(...words)).exitCode).toBe(0);
    expect(sentTo(to)).toEqual({ blobs: planned.blobs, bytes: planned.bytes });
    expect(to.seen(/mount=/).length).toBeGreaterThan(0);
  });

  test.each([[[]], [["--shard", "0/2"]], [["--shard", "1/2"]]])("push %j", async more => {
    const [from, to] = await twoRegistries();
    const archive = join(await temporaryFolder(), "many.tar");
    expect((await runCommand("pull", "-f", await listOf(from), "-o", archive)).exitCode).toBe(0);
    // What is compressed on its way counts with the size that it has before.
    const words = ["push", archive, "--to", to.host, "--compression", "keep", ...more];
    const planned = await plannedOf(...words);
    expect(to.requests).toEqual([]);
    expect((await runCommand(...words)).exitCode).toBe(0);
    expect(sentTo(to)).toEqual({ blobs: planned.blobs, bytes: planned.bytes });
    expect(to.seen(/mount=/).length).toBeGreaterThan(0);
  });

  test("push of raw layers to several repositories", async () => {
    const layers = [tarArchive([tarEntry({ name: "file", body: seededBytes("raw", 5000).toString("hex") })])];
    const archive = await fileWith(dockerArchive({ tags: ["app:1", "other:1", "third:1"], layers }));
    const [, to] = await twoRegistries();
    const { blobs } = await plannedOf("push", archive, "--to", to.host);
    expect(blobs).toBe(2);
    expect((await runCommand("push", archive, "--to", to.host)).exitCode).toBe(0);
    expect(sentBlobs(to)).toHaveLength(blobs);
  });

  test("two registries: once for each", async () => {
    const [from, to] = await twoRegistries();
    const other = await ScriptedRegistry.start();
    const archive = join(await temporaryFolder(), "one.tar");
    const image = `${from.host}/team/app-0:1`;
    expect((await runCommand("pull", image, "-o", archive)).exitCode).toBe(0);
    const once = await plannedOf("push", archive, "--to", to.host);
    const twice = await plannedOf("push", archive, "-t", `${to.host}/a:1`, "-t", `${other.host}/a:1`);
    expect(twice).toMatchObject({ blobs: 2 * once.blobs, bytes: 2 * once.bytes });
  });
});
