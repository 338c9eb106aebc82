import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { storeImage } from "../../support/images.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

const HELLO = fileURLToPath(new URL("../../../fixtures/hello.tar.gz", import.meta.url));

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
