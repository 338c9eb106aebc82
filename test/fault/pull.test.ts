import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ProgressEvent } from "../../src/index.ts";
import { deferred } from "../../src/util/promises.ts";
import { seededBytes } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import {
  always,
  BIG,
  BIG_BLOB,
  expectNothingLeft,
  expectWhole,
  MANIFEST,
  MIB,
  pullCase,
  pullFrom,
  rangesOf,
  SMALL,
  SMALL_BLOB,
} from "./pull-support.ts";

beforeEach(() => {
  waits.length = 0;
});

describe("pull() gets over what may pass", () => {
  test.each<[string, Fault]>([
    ["a manifest that answers 503 twice", { on: MANIFEST, times: 2, reply: { status: 503 } }],
    ["a big blob that answers 502 three times", { on: BIG_BLOB, times: 3, reply: { status: 502 } }],
    ["a small blob that answers 500", { on: SMALL_BLOB, reply: { status: 500 } }],
    ["a reset before the first answer of all", { on: MANIFEST, cut: "before" }],
    ["a reset before a big blob's header", { on: BIG_BLOB, cut: "before" }],
    ["a reset before a small blob's header", { on: SMALL_BLOB, cut: "before" }],
    ["a connection that ends with a big blob's header", { on: BIG_BLOB, cut: 0 }],
    ["a connection that ends inside a small blob", { on: SMALL_BLOB, cut: 1000 }],
    ["a connection that ends inside a manifest", { on: MANIFEST, cut: 10 }],
  ])("pull() gets over %s", async (_what, fault) => {
    const pulled = await pullCase({ faults: [fault], layers: [BIG, SMALL] });
    await expectWhole(pulled);
    expect(pulled.registry.seen(fault.on).length).toBeGreaterThan(fault.times ?? 1);
  });

  test("pull() waits as long as a 429 says in seconds", async () => {
    const reply = { status: 429, headers: { "retry-after": "7" } };
    await expectWhole(await pullCase({ faults: [{ on: MANIFEST, reply }] }));
    expect(waits).toEqual([7000]);
  });

  test("pull() waits until the date that a 429 names", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-03-01T12:00:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    const reply = { status: 429, headers: { "retry-after": "Sun, 01 Mar 2026 12:00:30 GMT" } };
    await expectWhole(await pullCase({ faults: [{ on: SMALL_BLOB, reply }], layers: [SMALL] }));
    expect(waits).toEqual([30_000]);
  });

  test("pull() asks a registry that stays down five times, not five times five", async () => {
    for (const [layer, on] of [[BIG, BIG_BLOB] as const, [SMALL, SMALL_BLOB] as const]) {
      const pulled = await pullCase({ faults: [always({ on, reply: { status: 503 } })], layers: [layer] });
      expect(pulled.error).toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
      expectNothingLeft(pulled);
      // A big blob asks on its own connection first.
      expect(pulled.registry.seen(on)).toHaveLength(layer === BIG ? 10 : 5);
    }
  });
});

describe("H-02, H-03 pull() goes on where a big blob broke off", () => {
  const cut: Fault = { on: BIG_BLOB, cut: MIB + 5 };

  test("pull() asks for the rest with Range", async () => {
    const pulled = await pullCase({ faults: [cut] });
    await expectWhole(pulled);
    expect(rangesOf(pulled, BIG_BLOB)).toEqual([undefined, `bytes=${MIB}-`]);
  });

  test("pull() skips what it has when a registry sends everything again", async () => {
    const whole = always({ on: BIG_BLOB, change: () => ({ status: 200, headers: {}, body: BIG }) });
    const pulled = await pullCase({ faults: [cut, whole] });
    await expectWhole(pulled);
    expect(rangesOf(pulled, BIG_BLOB).slice(0, 2)).toEqual([undefined, `bytes=${MIB}-`]);
  });

  test("pull() does not take another range than it asked for", async () => {
    const shifted: Fault = {
      on: BIG_BLOB,
      times: 2,
      change: ({ body }) => ({ headers: { "content-range": `bytes 0-${body.length - 1}/${BIG.length}` } }),
    };
    const pulled = await pullCase({ faults: [cut, shifted] });
    await expectWhole(pulled);
    expect(rangesOf(pulled, BIG_BLOB)).toHaveLength(4);
  });

  test("pull() gets there over a line that breaks more often than it retries", async () => {
    const layer = Buffer.alloc(8 * MIB, seededBytes("long", 4099));
    const on = new RegExp(`blobs/${sha256(layer)}`);
    const pulled = await pullCase({ faults: [{ on, times: 7, cut: MIB + 9 }], layers: [layer] });
    await expectWhole(pulled);
    expect(pulled.registry.seen(on)).toHaveLength(8);
  });

  test("pull() gives up on a line that never carries anything", async () => {
    const pulled = await pullCase({ faults: [always({ on: BIG_BLOB, cut: 1000 })] });
    expect(pulled.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expectNothingLeft(pulled);
    expect(waits).toHaveLength(4);
  });
});

describe("H-05 pull() reads bodies in every form", () => {
  test.each<[string, Fault]>([
    ["chunked", { on: BIG_BLOB, change: () => ({ headers: { "transfer-encoding": "chunked" } }) }],
    [
      "marked as gzip, as some storage does",
      { on: BIG_BLOB, change: () => ({ headers: { "content-encoding": "gzip" } }) },
    ],
    [
      "over connections that are not kept",
      { on: /./, change: ({ headers }) => ({ headers: { ...headers, connection: "close" } }) },
    ],
  ])("pull() takes blobs %s", async (_what, fault) => {
    await expectWhole(await pullCase({ faults: [always(fault)], layers: [BIG, SMALL] }));
  });

  test("pull() waits for a slow first byte, and loads other blobs meanwhile", async () => {
    const smallCame = deferred<void>();
    const slow: Fault = { on: BIG_BLOB, stall: { after: 0, until: smallCame.promise } };
    const small: Fault = { on: SMALL_BLOB, onRequest: () => smallCame.resolve(), change: () => ({}) };
    await expectWhole(await pullCase({ faults: [slow, small], layers: [BIG, SMALL] }));
  });

  test("pull() never sends a cookie back", async () => {
    const cookie = always({ on: /./, change: ({ headers }) => ({ headers: { ...headers, "set-cookie": "sid=1" } }) });
    const pulled = await pullCase({ faults: [cookie], layers: [BIG, SMALL] });
    await expectWhole(pulled);
    for (const { headers } of pulled.registry.requests) expect(headers.cookie).toBeUndefined();
  });
});

describe("pull() refuses bytes that are not the image's", () => {
  const flipped = (body: Buffer): Buffer => Buffer.concat([Buffer.from([(body[0] ?? 0) ^ 1]), body.subarray(1)]);

  test.each<[string, Buffer, Fault]>([
    ["a big blob with one other bit", BIG, { on: BIG_BLOB, change: ({ body }) => ({ body: flipped(body) }) }],
    ["a small blob with one other bit", SMALL, { on: SMALL_BLOB, change: ({ body }) => ({ body: flipped(body) }) }],
    ["a big blob that is too short", BIG, { on: BIG_BLOB, change: ({ body }) => ({ body: body.subarray(1) }) }],
    ["a small blob that is too short", SMALL, { on: SMALL_BLOB, change: ({ body }) => ({ body: body.subarray(1) }) }],
    ["a big blob that is too long", BIG, { on: BIG_BLOB, change: () => ({ body: Buffer.concat([BIG, SMALL]) }) }],
    ["a small blob that is too long", SMALL, { on: SMALL_BLOB, change: () => ({ body: BIG }) }],
    [
      "an endless blob",
      SMALL,
      { on: SMALL_BLOB, change: () => ({ body: BIG, headers: { "transfer-encoding": "chunked" } }) },
    ],
    [
      "a blob that a proxy has compressed",
      BIG,
      { on: BIG_BLOB, change: ({ body }) => ({ body: gzipSync(body, { level: 1 }) }) },
    ],
    [
      "a manifest under another digest",
      SMALL,
      { on: MANIFEST, change: ({ headers }) => ({ headers: { ...headers, "docker-content-digest": sha256(SMALL) } }) },
    ],
  ])("pull() refuses %s", async (_what, layer, fault) => {
    const pulled = await pullCase({ faults: [always(fault)], layers: [layer] });
    expect(pulled.error).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
    expect(pulled.error?.message).toMatch(/^Cannot accept (blob|manifest).* from 127\.0\.0\.1:\d+\/app/);
    expectNothingLeft(pulled);
    expect(waits).toEqual([]);
    // Twice; a big blob whose size is announced wrong is asked for on another connection first.
    if (fault.on !== MANIFEST) expect([2, 4]).toContain(pulled.registry.seen(fault.on).length);
  });

  test.each([
    ["big", BIG, BIG_BLOB],
    ["small", SMALL, SMALL_BLOB],
  ] as const)(
    "pull() fetches a %s blob once more that something on the way altered once, and says so",
    async (_what, layer, on) => {
      const notes: string[] = [];
      const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
      const fault: Fault = { on, change: ({ body }) => ({ body: flipped(body) }) };
      const pulled = await pullCase({ faults: [fault], layers: [layer], options: { onProgress } });
      await expectWhole(pulled);
      expect(rangesOf(pulled, on)).toEqual([undefined, undefined]);
      expect(notes.filter(note => note.includes(sha256(layer)) && note.endsWith("fetching it again"))).toHaveLength(1);
    },
  );

  test("pull() into a stream does not: what has left cannot be taken back", async () => {
    const fault: Fault = { on: BIG_BLOB, change: ({ body }) => ({ body: flipped(body) }) };
    const pulled = await pullCase({ faults: [fault], options: { output: new PassThrough().resume() } });
    expect(pulled.error).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
    expect(pulled.registry.seen(BIG_BLOB)).toHaveLength(1);
  });
});

describe("pull() says what is wrong", () => {
  test("pull() names an unknown tag", async () => {
    const pulled = await pullCase({ tag: "2" });
    expect(pulled.error).toMatchObject({ code: "ERR_NOT_FOUND", exitCode: 5 });
    expect(pulled.error?.message).toMatch(/manifest 2 from 127\.0\.0\.1:\d+\/app: status 404/);
    expectNothingLeft(pulled);
  });

  test.each(["basic", "bearer"] as const)(
    "pull() names the user that %s refused, and where he came from",
    async scheme => {
      const pulled = await pullCase({
        auth: { scheme, user: "ci", password: "right" },
        options: { registry: { auth: { username: "ci", password: "wrong" } } },
      });
      expect(pulled.error).toMatchObject({ code: "ERR_AUTH", exitCode: 4 });
      expect(pulled.error?.message).toContain('for user "ci"');
      expect(pulled.error?.hint).toContain("Check the user name and the password that you gave");
      expect(`${pulled.error?.message} ${pulled.error?.hint}`).not.toContain('wrong"');
      // A refused password is not tried again: some registries lock accounts for it.
      expect(pulled.registry.requests.filter(({ headers }) => headers.authorization?.startsWith("Basic"))).toHaveLength(
        1,
      );
    },
  );

  test("pull() tells at once that nobody listens", async () => {
    const registry = await ScriptedRegistry.start();
    const { host } = registry;
    await registry.close();
    const pulled = await pullFrom(registry);
    expect(pulled.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(pulled.error?.message).toBe(
      `Cannot pull manifest 1 from ${host}/app: connection refused, expected an answer`,
    );
    expect(pulled.error?.hint).toBe("Check the registry's host name and port.");
    expect(waits).toEqual([]);
  });

  test.each([
    ["big", BIG, BIG_BLOB],
    ["small", SMALL, SMALL_BLOB],
  ] as const)("pull() stops inside a %s blob when it is aborted, and leaves nothing", async (_what, layer, on) => {
    const stop = new AbortController();
    const stall = { after: layer.length - 100, until: new Promise<void>(() => {}) };
    const fault: Fault = { on, stall, onRequest: () => stop.abort(new Error("enough")) };
    const pulling = pullCase({ faults: [fault], layers: [layer], options: { signal: stop.signal } });
    await expect(pulling).rejects.toThrow("enough");
  });
});
