// A rescue from a v1 registry, stopped at every request that it makes to either registry.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { copyTo } from "../../src/index.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import type { RescueReport } from "../../src/verbs/v1/report/rescue-report.ts";
import { temporaryFolder } from "../support/images.ts";
import { type MemoryRegistry, sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { fillImage } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";

let points = 0;
afterAll(() => console.log(`rescue: stopped at ${points} requests, every next run ended the same`));

test("a rescue that is stopped at any request ends the same after one more run", async () => {
  const old = await V1Registry.start({ manner: "0.9", hasIndex: true, isReadOnly: true });
  fillImage(old.content, "library/app", "1", "cba");
  fillImage(old.content, "team/db", "2", "cbd");
  const target = await ScriptedRegistry.start();
  const copy = async (cacheDir: string, signal?: AbortSignal): Promise<unknown> =>
    await copyTo([`v1://${old.host}/**`], target.host, {
      cacheDir,
      report: join(cacheDir, "report.json"),
      ...(signal === undefined ? {} : { signal }),
    });
  await copy(await temporaryFolder());
  const wanted = tagged(target.content);
  expect(wanted.size).toBe(2);
  for (let isStopped = true; isStopped; points += 1) {
    const cacheDir = await temporaryFolder();
    target.content.blobs.clear();
    target.content.manifests.clear();
    isStopped = await stoppedAt(points, async signal => await copy(cacheDir, signal));
    for (const [tag, manifest] of tagged(target.content))
      expect(manifest, `stopped at ${points}`).toBe(wanted.get(tag));
    const { images, complete } = JSON.parse(await readFile(join(cacheDir, "report.json"), "utf8")) as RescueReport;
    expect(complete, `stopped at ${points}`).toBe(
      !isStopped || (images.every(image => "digest" in image) && images.length === 2),
    );
    await copy(cacheDir);
    expect(tagged(target.content), `stopped at ${points}`).toEqual(wanted);
  }
  expect(points).toBeGreaterThan(30);
}, 120_000);

/** Runs `work`, and aborts it at a request. @returns whether it came so far. */
async function stoppedAt(at: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  const stop = new AbortController();
  let requests = 0;
  watchOperations(async (operation, run) => {
    if (operation.kind === "request") {
      if (requests === at) stop.abort(new Error("stopped"));
      requests += 1;
    }
    return await run();
  });
  try {
    await work(stop.signal);
    return false;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return true;
  } finally {
    watchOperations(undefined);
  }
}

/** The manifests of all tags. None is there without all that it needs. */
function tagged({ manifests, blobs }: MemoryRegistry): ReadonlyMap<string, string> {
  const tags = [...manifests].filter(([name]) => !name.startsWith("sha256:"));
  for (const [, { bytes }] of tags) {
    const { config, layers } = JSON.parse(bytes.toString());
    for (const { digest } of [config, ...layers]) expect(sha256(blobs.get(digest) ?? Buffer.alloc(0))).toBe(digest);
  }
  return new Map(tags.map(([name, { bytes }]) => [name, bytes.toString()]));
}
