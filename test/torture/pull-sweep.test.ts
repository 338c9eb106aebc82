import { copyFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PullFlow, pullFlow } from "./flow.ts";
import { LAYER_BYTES } from "./images.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { readSettings, report } from "./settings.ts";
import { sweepKills } from "./sweep.ts";
import type { LoggedOperation } from "./watcher.ts";

const settings = readSettings();
/** The more there are, the more orders of operations. */
const CONCURRENCIES = settings.isFull ? ["6", "3", "1"] : ["6"];
let scene: TortureScene;
beforeAll(async () => {
  scene = await createTortureScene("pull", settings.isFull ? [...LAYER_BYTES, ...LAYER_BYTES] : LAYER_BYTES);
});
afterAll(() => scene?.close());

/** Those that give the archive its name. */
function isPublishing({ kind, target, position }: LoggedOperation): boolean {
  if (basename(target) === "out.tar.partial" && kind === "write") return position === 0;
  return kind !== "write" && kind !== "request" && kind !== "truncate";
}

describe.each(CONCURRENCIES)("imgpack pull --concurrency %s, killed at any operation", concurrency => {
  const newFlow = (): Promise<PullFlow> => pullFlow(scene, scene.name, scene.expected, ["--concurrency", concurrency]);

  test("imgpack pull leaves nothing wrong behind, and the next run finishes it", async () => {
    const { command } = scene;
    const figures = await sweepKills({ command, settings, newFlow, isCrucial: isPublishing });
    await report(`kill at operations of pull, concurrency ${concurrency}`, figures);
    expect(figures.killed).toBeGreaterThan(figures.points * 0.9);
  });

  test("imgpack pull that goes on with what a killed run left can be killed itself", async () => {
    const { command } = scene;
    const broken = await newFlow();
    const ended = await command.run(broken.words, broken.home, { kill: { at: 22, when: "after" } });
    expect(ended.signal).toBe("SIGKILL");
    const left = await readdir(broken.folder);
    expect(left.sort()).toEqual(["out.tar.partial", "out.tar.partial.journal"]);
    const newResume = async (): Promise<PullFlow> => {
      const flow = await newFlow();
      for (const name of left) await copyFile(join(broken.folder, name), join(flow.folder, name));
      return flow;
    };
    const figures = await sweepKills({ command, settings, newFlow: newResume, isCrucial: isPublishing });
    await report(`kill at operations of a resumed pull, concurrency ${concurrency}`, figures);
    expect(figures.killed).toBeGreaterThan(figures.points * 0.9);
  });
});
