import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pull, push } from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const OTHER = sha256(Buffer.from("something else"));

describe("H-06 headers that come twice and differ", () => {
  test.each([
    ["the right one first", (digest: string) => [digest, OTHER]],
    ["the right one last", (digest: string) => [OTHER, digest]],
  ])("H-06 a manifest with two digests is refused: %s", async (_, both) => {
    const registry = await ScriptedRegistry.start();
    const { digest } = storeImage(registry.content, [seededBytes("layer", 1000)]);
    registry.addFault({
      on: /^GET .*\/manifests\//,
      times: 99,
      change: ({ headers }) => ({ headers: { ...headers, "docker-content-digest": both(digest) } }),
    });
    const folder = await temporaryFolder();
    const refused = pull([`${registry.host}/app:1`], { output: join(folder, "app.tar"), platform: ["linux/amd64"] });
    await expect(refused).rejects.toMatchObject({ code: "ERR_INTEGRITY", message: expect.stringContaining(OTHER) });
    expect(await readdir(folder)).toEqual([]);
  });

  test("H-06 an upload that is at two places is at neither", async () => {
    const registry = await ScriptedRegistry.start();
    const other = await ScriptedRegistry.start();
    registry.addFault({
      on: /^POST .*\/blobs\/uploads\//,
      times: 99,
      change: ({ headers }) => ({
        headers: { ...headers, location: [String(headers?.["location"]), `http://${other.host}/up`] },
      }),
    });
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const refused = push([archive], { to: registry.host });
    await expect(refused).rejects.toMatchObject({
      code: "ERR_REGISTRY",
      message: expect.stringContaining("no Location in the answer"),
    });
    expect(other.requests).toEqual([]);
    expect(registry.seen(/^(?:PUT|PATCH) /)).toEqual([]);
  });

  test("H-06 a blob that is said to be stored under another digest, too, is not taken for stored", async () => {
    const registry = await ScriptedRegistry.start();
    registry.addFault({
      on: /^PUT .*\/blobs\/uploads\//,
      times: 99,
      change: ({ headers }) => ({
        headers: { ...headers, "docker-content-digest": [String(headers?.["docker-content-digest"]), OTHER] },
      }),
    });
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    await expect(push([archive], { to: registry.host })).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    expect(registry.seen(/^PUT .*\/manifests\//)).toEqual([]);
  });
});
