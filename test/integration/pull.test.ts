import { readFile, stat, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { heldManifest, sha256 } from "./peers/registry-content.ts";
import { createScene, type Scene } from "./peers/scene.ts";

describeWith(["docker-registry", "tar"], "imgpack pull", () => {
  let scene: Scene;
  let host: string;
  beforeAll(async () => {
    scene = await createScene();
    host = scene.registry.host;
  });
  afterAll(() => scene?.close());

  test("imgpack pull writes the same bytes each time, and verify accepts them", async () => {
    const names = [`${host}/hello:latest`, `${host}/large:1`];
    const [first, second] = [
      await scene.pulled("a.tar", ...names),
      await scene.pulled("b.tar", ...[...names].reverse(), "--concurrency", "1"),
    ];
    expect(sha256(await readFile(first))).toBe(sha256(await readFile(second)));
    expect(await scene.imgpack.verify(first)).toMatchObject({ faults: [], unchecked: [], images: 2 });
  });

  test("imgpack pull then push into an empty registry gives the identical manifest digests", async () => {
    const names = ["hello:latest", "app:1.0", "base:1.0", "multi:1.0", "large:1"];
    const references = names.map(name => `${host}/${name}`);
    const archive = await scene.pulled("all.tar", ...references, "--platform", "all");
    const empty = await startDockerRegistry();
    try {
      await scene.imgpack.push([archive, "--registry", empty.host]);
      for (const name of names) {
        const [repository = "", tag = ""] = name.split(":");
        const [before, after] = await Promise.all(
          [scene.registry, empty].map(({ url }) => heldManifest(url, repository, tag)),
        );
        expect(after?.bytes.equals(before?.bytes ?? Buffer.alloc(0))).toBe(true);
      }
    } finally {
      await empty.close();
    }
  });

  test("imgpack pull of an unknown tag ends with exit code 5 and leaves the old file as it was", async () => {
    await writeFile(scene.path("old.tar"), "old");
    const missing = await scene.imgpack.run(["pull", `${host}/hello:none`, "-o", scene.path("old.tar")]);
    expect(missing).toMatchObject({
      code: 5,
      stdout: "",
      stderr: expect.stringContaining(`none from ${host}/hello: status 404`),
    });
    expect(await readFile(scene.path("old.tar"), "utf8")).toBe("old");
    await expect(stat(scene.path("old.tar.partial"))).rejects.toThrow("ENOENT");
  });
});
