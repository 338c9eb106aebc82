import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { copyTo, pull, push } from "../../src/index.ts";
import { RegistryPool } from "../../src/verbs/shared/registry-pool.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { MemoryRegistry } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { storeIndex } from "./lock-support.ts";
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

/** A registry that is slow to answer. @returns how many requests it had at once, at most, since the last question */
async function countingRegistry(content: MemoryRegistry): Promise<{ host: string; takeMost: () => number }> {
  let [running, most] = [0, 0];
  const server = createServer((request, response) => {
    running += 1;
    most = Math.max(most, running);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    const answer = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) await setImmediate();
      const { method = "", url = "", headers } = request;
      const { status, headers: more, body } = content.answer(method, url, headers, Buffer.concat(parts));
      running -= 1;
      response.writeHead(status, { "content-length": String(body.length), ...more });
      response.end(method === "HEAD" ? undefined : body);
    };
    request.on("end", () => void answer());
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const takeMost = (): number => {
    const found = most;
    most = 0;
    return found;
  };
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, takeMost };
}

describe("--concurrency", () => {
  test.each([1, 3])(
    "%i: no registry has more requests at once while images are planned, read and sent",
    async concurrency => {
      const content = new MemoryRegistry();
      const from = await countingRegistry(content);
      const to = await countingRegistry(new MemoryRegistry());
      const tags = Array.from({ length: 6 }, (_, index) => `${index}`);
      for (const tag of tags) storeIndex(content, `team/one:${tag}`, { seed: tag });
      const names = tags.map(tag => `${from.host}/team/one:${tag}`);
      const folder = await temporaryFolder();
      const archive = join(folder, "out.tar");
      await pull(names, { output: archive, platform: "all", concurrency });
      expect(from.takeMost()).toBe(concurrency);
      await push([archive], { registry: to.host, concurrency });
      expect(to.takeMost()).toBe(concurrency);
      await copyTo(names, `${to.host}/copies`, { concurrency });
      // Of several images, one may be planned while another one is sent.
      const most = concurrency === 1 ? 1 : 2 * concurrency;
      for (const registry of [from, to]) expect(registry.takeMost()).toBeLessThanOrEqual(most);
    },
  );

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
