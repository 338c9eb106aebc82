import { beforeEach, describe, expect, test } from "vitest";
import { configOf, seededBytes } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry, type SeenRequest } from "../support/scripted-registry.ts";
import {
  always,
  BIG_LAYER,
  count,
  expectNoManifest,
  expectStored,
  pushCase,
  pushTo,
  SMALL_LAYER,
} from "./push-support.ts";

const START = /^POST \/v2\/app\/blobs\/uploads\/$/;
const PATCH = /^PATCH /;
/** The closing PUT of a streamed upload, and the only one of a small blob. */
const PUT = /^PUT \/v2\/app\/blobs\/uploads\//;
/** Only the closing PUT is empty. */
const isEmpty = ({ headers }: SeenRequest): boolean => headers["content-length"] === "0";
const CANCEL = /^DELETE \/v2\/app\/blobs\/uploads\//;

beforeEach(() => {
  waits.length = 0;
});

describe("push() and upload sessions", () => {
  test.each<[string, RegExp, number]>([
    ["a streamed layer", PATCH, 404],
    ["the closing PUT", PUT, 404],
    ["a streamed layer (416)", PATCH, 416],
  ])("push() starts over when the registry has lost the session of %s", async (_what, on, status) => {
    const pushed = await pushCase({
      faults: [{ on, when: request => on === PATCH || isEmpty(request), reply: { status } }],
      layers: [BIG_LAYER],
    });
    expectStored(pushed, [BIG_LAYER]);
    expect(count(pushed, PATCH)).toBe(2);
  });

  test("push() starts over when bytes changed on their way, and gives up when they always do", async () => {
    const body = Buffer.from('{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}');
    const fault: Fault = { on: PUT, reply: { status: 400, body, headers: { "content-type": "application/json" } } };
    expectStored(await pushCase({ faults: [fault], layers: [SMALL_LAYER] }), [SMALL_LAYER]);
    const pushed = await pushCase({ faults: [always(fault)], layers: [SMALL_LAYER] });
    expect(pushed.error).toMatchObject({ code: "ERR_REGISTRY", codes: ["DIGEST_INVALID"] });
  });

  test("push() says that the registry refused the digest of a raw layer, and does not send it in chunks as well", async () => {
    const body = Buffer.from('{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}');
    const refused: Fault = { on: PUT, reply: { status: 400, body, headers: { "content-type": "application/json" } } };
    const pushed = await pushCase({ faults: [always({ ...refused, when: isEmpty })], layers: [BIG_LAYER] });
    expect(pushed.error).toMatchObject({
      codes: ["DIGEST_INVALID"],
      message: expect.stringContaining("DIGEST_INVALID"),
    });
    expect(pushed.error?.message).toMatch(/layer sha256:[0-9a-f]{64} /);
    expect(pushed.error?.message).not.toMatch(/lost|imgpack-gzip/);
    expect(count(pushed, PATCH)).toBe(3);
  });

  test.each<[string, Fault]>([
    ["a lost answer", { on: PUT, when: isEmpty, hidden: true, reply: { status: 502 } }],
    ["a lost answer and a session that is gone", { on: PUT, when: isEmpty, hidden: true, reply: { status: 404 } }],
  ])("push() does not send a layer again after %s to the closing PUT", async (_what, fault) => {
    const pushed = await pushCase({ faults: [fault], layers: [BIG_LAYER] });
    expectStored(pushed, [BIG_LAYER]);
    expect(count(pushed, PATCH)).toBe(1);
  });

  test("push() looks whether a blob has arrived before it sends it again", async () => {
    const pushed = await pushCase({
      faults: [{ on: PUT, when: isEmpty, hidden: true, reply: { status: 502 } }],
      layers: [SMALL_LAYER],
    });
    expectStored(pushed, [SMALL_LAYER]);
    // The layer, or the config, once each.
    expect(count(pushed, PUT)).toBe(2);
  });

  test.each<[string, (host: string) => string]>([
    ["relative", () => "/v2/app/blobs/uploads/ID"],
    ["with a query of its own", host => `http://${host}/v2/app/blobs/uploads/ID?_state=a%2Fb%3D%3D`],
    ["on an inner port of the same host", host => `http://${host.replace(/:\d+/, ":1")}/v2/app/blobs/uploads/ID?x=1`],
    ["with another scheme", host => `https://${host.replace(/:\d+/, "")}/v2/app/blobs/uploads/ID`],
  ])("push() takes an upload location that is %s", async (_what, location) => {
    const registry = await ScriptedRegistry.start();
    const move: Fault["change"] = reply => {
      const id = String(reply.headers["location"]).split("/").at(-1) ?? "";
      return { headers: { ...reply.headers, location: location(registry.host).replace("ID", id) } };
    };
    registry.addFault(always({ on: START, change: move }));
    registry.addFault(always({ on: PATCH, change: move }));
    const pushed = await pushTo(registry);
    expectStored(pushed);
    const query = location(registry.host).split("?")[1];
    for (const { path } of registry.seen(PUT)) {
      expect(path).toMatch(new RegExp(`\\?${query === undefined ? "" : `${query}&`}digest=sha256%3A[0-9a-f]{64}$`));
    }
  });

  test("A-05 push() uploads to another origin without credentials", async () => {
    const auth = { scheme: "basic", user: "ci", password: "canary" } as const;
    const storage = await ScriptedRegistry.start();
    const start = (): string =>
      String(storage.content.answer("POST", "/v2/app/blobs/uploads/", {}, Buffer.alloc(0)).headers["location"]);
    const away: Fault = {
      on: START,
      change: ({ status, headers }) =>
        status === 202
          ? { headers: { ...headers, location: `${storage.url.replace("127.0.0.1", "localhost")}${start()}` } }
          : {},
    };
    const pushed = await pushCase({
      auth,
      faults: [always(away)],
      layers: [BIG_LAYER],
      options: { registry: { auth: { username: "ci", password: "canary" } } },
    });
    expect(pushed.error?.message).toBeUndefined();
    expect(storage.seen(PATCH)).toHaveLength(1);
    expect(JSON.stringify(storage.requests.map(({ headers }) => headers))).not.toMatch(/authorization|Y2k6Y2FuYXJ5/i);
  });

  test("push() leaves no session behind when a layer is not what its config says", async () => {
    const pushed = await pushCase({ layers: [BIG_LAYER], config: configOf([SMALL_LAYER]) });
    expect(pushed.error).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
    expect(count(pushed, CANCEL)).toBe(count(pushed, START) - 1);
    expect(count(pushed, /digest=.*$/)).toBe(1);
    expectNoManifest(pushed);
  });

  test("push() cancels its upload when it is aborted", async () => {
    const stop = new AbortController();
    const fault: Fault = {
      on: PATCH,
      early: true,
      stall: { after: 0, until: new Promise<void>(() => {}) },
      onRequest: () => stop.abort(new Error("enough")),
    };
    const registry = await ScriptedRegistry.start({ faults: [fault] });
    // One at a time: the config's upload may be open as well otherwise, and is cancelled too.
    const options = { signal: stop.signal, concurrency: 1 };
    await expect(pushTo(registry, { layers: [BIG_LAYER], options })).rejects.toThrow("enough");
    expect(registry.seen(CANCEL)).toHaveLength(1);
    expect(registry.content.manifests.size).toBe(0);
  });
});

describe("push() logs in", () => {
  const auth = { scheme: "bearer", user: "ci", password: "secret" } as const;
  const options = { registry: { auth: { username: auth.user, password: auth.password } } };

  test.each([
    ["while a layer is sent", PATCH, 2],
    ["before the closing PUT", PUT, 1],
  ])("push() sends a layer rightly when its token runs out %s", async (_what, on, patches) => {
    const registry = await ScriptedRegistry.start({ auth });
    const when = (request: SeenRequest): boolean => on === PATCH || isEmpty(request);
    registry.addFault({ on, when, early: on === PATCH, onRequest: () => registry.tokens.clear() });
    const pushed = await pushTo(registry, { layers: [BIG_LAYER], options });
    expectStored(pushed, [BIG_LAYER]);
    expect(count(pushed, PATCH)).toBe(patches);
    expect(waits).toEqual([]);
  });

  test("push() sends a small blob again when its token runs out meanwhile", async () => {
    const registry = await ScriptedRegistry.start({ auth });
    registry.addFault({ on: PUT, early: true, onRequest: () => registry.tokens.clear() });
    expectStored(await pushTo(registry, { layers: [SMALL_LAYER], options }), [SMALL_LAYER]);
  });

  test("push() sends a layer again that was refused half-way", async () => {
    const layer = seededBytes("incompressible", 6 * 1024 * 1024);
    const registry = await ScriptedRegistry.start({ auth });
    registry.addFault({ on: PATCH, early: true, onRequest: () => registry.tokens.clear() });
    expectStored(await pushTo(registry, { layers: [layer], options }), [layer]);
  });

  test("push() sends a blob of known length again that was refused half-way", async () => {
    const layer = seededBytes("incompressible", 6 * 1024 * 1024);
    const registry = await ScriptedRegistry.start({ auth });
    const isLayer = ({ headers }: SeenRequest): boolean => headers["content-length"] === String(layer.length);
    registry.addFault({ on: PUT, when: isLayer, early: true, onRequest: () => registry.tokens.clear() });
    const pushed = await pushTo(registry, { layers: [layer], options: { ...options, compression: "keep" } });
    expect(pushed.error?.message).toBeUndefined();
    expect(registry.content.blobs.get(sha256(layer))?.length).toBe(layer.length);
  });

  test("push() names the user that was refused", async () => {
    const pushed = await pushCase({ auth, options: { registry: { auth: { username: "ci", password: "no" } } } });
    expect(pushed.error).toMatchObject({ code: "ERR_AUTH", exitCode: 4 });
    expect(pushed.error?.message).toContain('for user "ci"');
  });
});
