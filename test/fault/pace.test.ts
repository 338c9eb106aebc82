import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RegistryPool } from "../../src/verbs/shared/registry-pool.ts";
import { seededBytes, storeImage } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { expectWhole, pullFrom } from "./pull-support.ts";

const LAYERS: readonly Buffer[] = Array.from({ length: 40 }, (_, index) => seededBytes(`paced ${index}`, 2000));
const BLOB = /^GET .*\/blobs\//;

/** Asks a registry with this fault once, through a pool that has begun with six transfers. @returns how many it allows then */
async function limitAfter(fault: Fault, concurrency?: number): Promise<number> {
  const registry = await ScriptedRegistry.start({ faults: [fault] });
  const image = storeImage(registry.content, [LAYERS[0] ?? Buffer.alloc(0)]);
  await using pool = new RegistryPool({ concurrency }, [registry.host], () => undefined);
  const repository = await pool.repositoryFor({ registry: registry.host, repository: "app" });
  const [layer] = image.layers;
  await repository.call({ what: "blob", method: "GET", url: `blobs/${layer?.digest}`, accept: [200] });
  return pool.pace.limit;
}

beforeEach(() => {
  waits.length = 0;
});
afterEach(() => {
  waits.length = 0;
});

describe("a registry that takes less than it gets", () => {
  test.each<[string, Fault, number]>([
    ["429", { on: BLOB, reply: { status: 429 } }, 3],
    ["503", { on: BLOB, reply: { status: 503 } }, 3],
    ["504", { on: BLOB, reply: { status: 504 } }, 3],
    ["408", { on: BLOB, reply: { status: 408 } }, 3],
    ["500, which says nothing about the load", { on: BLOB, reply: { status: 500 } }, 6],
    ["a reset", { on: BLOB, cut: "before" }, 6],
  ])("after %s, the right number of transfers runs", async (_what, fault, expected) => {
    expect(await limitAfter(fault)).toBe(expected);
  });

  test("--concurrency 2 begins with two, and one is the least", async () => {
    expect(await limitAfter({ on: BLOB, reply: { status: 429 } }, 2)).toBe(1);
    expect(await limitAfter({ on: BLOB, reply: { status: 429 } }, 1)).toBe(1);
  });

  test("a pull from it ends with all blobs, and no refusal makes two requests", async () => {
    const registry = await ScriptedRegistry.start();
    registry.addFault({ on: BLOB, times: 4, reply: { status: 429, headers: { "retry-after": "3" } } });
    await expectWhole(await pullFrom(registry, { layers: LAYERS }));
    expect(registry.seen(BLOB).length).toBeLessThanOrEqual(LAYERS.length + 1 + 4);
  });
});

describe("--concurrency", () => {
  test.each([1, 3])("pull() never has more than %i blobs in transfer", async concurrency => {
    const registry = await ScriptedRegistry.start();
    let most = 0;
    const underWay = new Set<unknown>();
    const pulled = await pullFrom(registry, {
      layers: LAYERS,
      options: {
        concurrency,
        onProgress: event => {
          if (event.kind === "started") underWay.add(event.blob);
          if (event.kind === "done" || event.kind === "stopped") underWay.delete(event.blob);
          most = Math.max(most, underWay.size);
        },
      },
    });
    await expectWhole(pulled);
    expect(most).toBe(concurrency);
  });
});
