import { truncate, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { push } from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

function image(seed: string): Buffer {
  const layers = [tarArchive([tarEntry({ name: "file", body: seededBytes(seed, 300_000) })])];
  return gzipSync(dockerArchive({ tags: ["app:1"], layers }));
}

describe("F-03 an archive that changes while it is read", () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ["is another one", async path => await writeFile(path, image("another"))],
    ["is cut", async path => await truncate(path, 100_000)],
    ["is empty", async path => await truncate(path, 0)],
    ["is rubbish", async path => await writeFile(path, seededBytes("rubbish", 301_000))],
  ])("F-03 an archive that %s when it is read for the second time tags nothing", async (_what, change) => {
    const path = await fileWith(image("one"));
    const registry = await ScriptedRegistry.start();
    let changing: Promise<void> | undefined;
    registry.addFault({
      on: /./,
      change: () => ({}),
      onRequest: () => {
        // The first request comes when the first reading is over.
        changing ??= change(path);
      },
    });
    const before = registry.content.answer.bind(registry.content);
    registry.content.answer = (...request) => before(...request);
    await expect(push([path], { registry: registry.host })).rejects.toMatchObject({
      exitCode: expect.toSatisfy((code: number) => [3, 6, 9].includes(code)) as number,
    });
    await changing;
    expect(registry.content.manifests.size).toBe(0);
  });
});
