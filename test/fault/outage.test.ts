import { beforeEach, describe, expect, test } from "vitest";
import { copy, lock, type ProgressEvent, push } from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, storeImage } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { BIG, BIG_BLOB, expectWhole, MIB, pullCase, pullFrom, rangesOf, SMALL } from "./pull-support.ts";
import { expectStored, pushTo } from "./push-support.ts";

const MANY: readonly Buffer[] = Array.from({ length: 24 }, (_, index) => seededBytes(`layer ${index}`, 3000));

interface Restart {
  /** The request that finds the registry gone. */
  readonly on: RegExp;
  /** How often it is asked in vain. */
  readonly probes?: number;
  /** What of them is answered before. */
  readonly after?: number;
}

interface Watched {
  readonly onProgress: (event: ProgressEvent) => void;
  /** Requests that came while the registry was away would be refused connections: how often it was waited for. */
  readonly waiting: ProgressEvent[];
  readonly retries: ProgressEvent[];
}

/** The registry ends with a request, and comes back without unfinished uploads after some questions. */
function restarting(registry: ScriptedRegistry, { on, probes = 7, after = 0 }: Restart): Watched {
  let seen = 0;
  registry.addFault({
    on,
    when: () => {
      seen += 1;
      return seen === after + 1;
    },
    onRequest: () => registry.stop(),
  });
  const waiting: ProgressEvent[] = [];
  const retries: ProgressEvent[] = [];
  return {
    waiting,
    retries,
    onProgress: event => {
      if (event.kind === "retry") retries.push(event);
      if (event.kind !== "waiting" || event.reason !== "outage") return;
      waiting.push(event);
      if (waiting.length === probes) registry.resume();
    },
  };
}

beforeEach(() => {
  waits.length = 0;
});

describe("a registry that restarts in the middle of a run", () => {
  test("pull() waits for it, and continues a big blob where it broke off", async () => {
    const registry = await ScriptedRegistry.start({ faults: [{ on: BIG_BLOB, cut: MIB + 5 }] });
    const away = restarting(registry, { on: BIG_BLOB, probes: 12 });
    const pulled = await pullFrom(registry, { layers: [BIG, SMALL], options: { onProgress: away.onProgress } });
    await expectWhole(pulled);
    expect(rangesOf(pulled, BIG_BLOB).at(-1)).toBe(`bytes=${MIB}-`);
    expect(away.waiting.length).toBeGreaterThanOrEqual(12);
  });

  test("pull() of many small blobs waits once for all of them, and no request uses up its retries", async () => {
    const registry = await ScriptedRegistry.start();
    const away = restarting(registry, { on: /^GET .*\/blobs\//, after: 8 });
    const pulled = await pullFrom(registry, { layers: MANY, options: { onProgress: away.onProgress } });
    await expectWhole(pulled);
    expect(away.waiting[0]).toMatchObject({ registry: registry.host, reason: "outage", waitMs: 1000 });
    // Those that were under way when it went; not one per blob and question.
    expect(away.retries.length).toBeLessThanOrEqual(6);
    expect(away.waiting.length).toBeLessThanOrEqual(9);
  });

  test.each([
    ["a stream", /^PATCH /],
    ["its end", /^PUT .*\/uploads\//],
    ["the start of an upload", /^POST /],
    ["the manifest", /^PUT .*\/manifests\//],
    ["the question for a blob", /^HEAD .*\/blobs\//],
  ])("push() survives it in the middle of %s, and sends the lost upload again", async (_what, on) => {
    const registry = await ScriptedRegistry.start();
    // Something was answered before: else no one would be waited for.
    await expect(fetch(`http://${registry.host}/v2/`)).resolves.toBeDefined();
    const away = restarting(registry, { on, after: on.source.startsWith("^HEAD") ? 1 : 0 });
    const pushed = await pushTo(registry, { options: { onProgress: away.onProgress, concurrency: 1 } });
    expectStored(pushed);
    expect(away.waiting.length).toBeGreaterThanOrEqual(7);
  });

  test.each([
    ["source", /^GET .*\/blobs\//],
    ["target", /^(POST|PUT|PATCH) .*\/uploads\//],
  ])("copy() survives it at its %s", async (end, on) => {
    const [source, target] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    storeImage(source.content, [BIG, ...MANY]);
    const away = restarting(end === "source" ? source : target, { on, after: 3 });
    const { onProgress } = away;
    await copy(`${source.host}/app:1`, `${target.host}/app:1`, { onProgress });
    for (const layer of [BIG, ...MANY]) expect(target.content.blobs.has(sha256(layer))).toBe(true);
    expect(away.waiting.length).toBeGreaterThanOrEqual(7);
  });

  test("lock() survives it", async () => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [SMALL]);
    const away = restarting(registry, { on: /^GET /, after: 1 });
    const { images } = await lock([`${registry.host}/app:1`], { onProgress: away.onProgress });
    expect(images).toHaveLength(1);
    expect(away.waiting.length).toBeGreaterThanOrEqual(7);
  });

  test("after ten minutes the run ends as it does without a registry, and asks no one else again", async () => {
    const registry = await ScriptedRegistry.start();
    const away = restarting(registry, { on: /^GET .*\/blobs\//, after: 8, probes: Number.POSITIVE_INFINITY });
    const pulled = await pullFrom(registry, { layers: MANY, options: { onProgress: away.onProgress } });
    expect(pulled.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(pulled.error).toMatchObject({
      message: expect.stringContaining("; it answered before, and was waited for for 10 min"),
      hint: expect.stringContaining("--outage"),
    });
    const waited = away.waiting.reduce((sum, event) => sum + (event.kind === "waiting" ? (event.waitMs ?? 0) : 0), 0);
    expect(waited).toBeGreaterThan(500_000);
    expect(waited).toBeLessThanOrEqual(600_000);
  });

  test.each([
    ["retry.outageMs: 0", { outageMs: 0 }],
    ["retry.count: 0", { count: 0 }],
  ])("with %s, it is not waited for", async (_what, retry) => {
    const registry = await ScriptedRegistry.start();
    const away = restarting(registry, { on: /^GET .*\/blobs\//, after: 8 });
    const options = { onProgress: away.onProgress, registry: { retry } };
    const pulled = await pullFrom(registry, { layers: MANY, options });
    expect(pulled.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(away.waiting).toEqual([]);
  });

  test("a registry that has never answered is not waited for", async () => {
    const registry = await ScriptedRegistry.start();
    registry.stop();
    const away: ProgressEvent[] = [];
    const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [SMALL] }));
    const options = { registry: registry.host, onProgress: (event: ProgressEvent) => void away.push(event) };
    await expect(push([archive], options)).rejects.toMatchObject({ exitCode: 7 });
    expect(waits).toEqual([]);
    expect(away.filter(({ kind }) => kind === "waiting")).toEqual([]);
  });

  test("a blob that always fails, while the registry answers, fails after its retries", async () => {
    const faults = [{ on: BIG_BLOB, times: 1000, reply: { status: 502 } }];
    const events: ProgressEvent[] = [];
    const pulled = await pullCase({ faults, options: { onProgress: event => void events.push(event) } });
    expect(pulled.error).toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
    expect(events.filter(event => event.kind === "waiting" && event.reason === "outage")).toEqual([]);
    expect(pulled.registry.seen(/^GET \/v2\/$/)).toHaveLength(1);
  });

  test("a proxy that says 503 for a while is waited for as well", async () => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [SMALL]);
    let isAway = false;
    registry.addFault({ on: /./, when: () => isAway, times: 1000, reply: { status: 503 } });
    const waiting: ProgressEvent[] = [];
    const pulled = await pullFrom(registry, {
      layers: [SMALL],
      options: {
        onProgress: event => {
          if (event.kind === "planned") isAway = true;
          if (event.kind === "waiting" && event.reason === "outage") isAway = waiting.push(event) < 10;
        },
      },
    });
    await expectWhole(pulled);
    expect(waiting.length).toBe(10);
  });
});

describe("tokens that run out in the middle of a run", () => {
  test("pull() of several blobs at once asks for one new token", async () => {
    const auth = { scheme: "bearer", user: "me", password: "secret" } as const;
    const registry = await ScriptedRegistry.start({ auth });
    let isOut = false;
    registry.addFault({
      on: /^GET .*\/blobs\//,
      when: () => !isOut,
      onRequest: () => {
        isOut = true;
        registry.tokens.clear();
      },
    });
    const options = { registry: { auth: { username: "me", password: "secret" } } };
    await expectWhole(await pullFrom(registry, { layers: MANY, options }));
    expect(registry.seen(/^GET \/token/)).toHaveLength(2);
  });
});
