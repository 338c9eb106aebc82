import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushFlow } from "./flow.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { readSettings, report } from "./settings.ts";
import { sweepKills } from "./sweep.ts";
import type { LoggedOperation } from "./watcher.ts";

const settings = readSettings();
let scene: TortureScene;
beforeAll(async () => {
  scene = await createTortureScene("push");
});
afterAll(() => scene?.close());

/** Manifests and tags: what must not come before the blobs. */
function isManifest({ kind, target }: LoggedOperation): boolean {
  return kind === "request" && /^PUT .*\/manifests\//.test(target);
}

describe.each(["archive", "rawArchive"] as const)("imgpack push of %s, killed at any operation", which => {
  test("imgpack push never leaves a manifest without its blobs; the next run finishes it, and one more sends no blob", async () => {
    const { command, registry, digest } = scene;
    const archive = scene[which];
    const figures = await sweepKills({
      command,
      settings,
      newFlow: async () => await pushFlow(scene, archive, digest),
      isCrucial: isManifest,
      async checkAfter({ repository, home }) {
        const before = registry.uploads(repository);
        expect(await registry.store(archive, `${repository}:1`, join(home, "cache"))).toBe(digest);
        expect(registry.uploads(repository)).toBe(before);
      },
    });
    await report(`kill at operations of push of ${basename(archive)}`, figures);
    expect(figures.killed).toBeGreaterThan(figures.points * 0.9);
  });
});
