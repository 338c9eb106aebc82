import { beforeEach, describe, expect, test } from "vitest";
import { PART_BYTES } from "../../src/registry/upload/upload-chunked.ts";
import { waits } from "../support/instant-waits.ts";
import type { Reply } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry, type SeenRequest } from "../support/scripted-registry.ts";
import { half, IMAGE, isFirst, isLater, LAYER, PATCH, pushHuge, STATUS, strictRegistry } from "./push-once-parts.ts";
import {
  expectNoSessions,
  expectNothingTagged,
  ordered,
  ownTemporaryFolder,
  pushBytes,
  pushTagged,
  tarLayer,
} from "./push-once-support.ts";
import { always, count, expectStored } from "./push-support.ts";

ownTemporaryFolder();

const CANCEL = /^DELETE .*\/uploads\//;
const CLOSE = /^PUT .*\/uploads\//;
/** Only the PUT behind the parts is empty. */
const isEmpty = ({ headers }: SeenRequest): boolean => headers["content-length"] === "0";

beforeEach(() => {
  waits.length = 0;
});

describe("push() of a layer that passes by once", () => {
  test("push() sends it in parts that fit together, and closes the upload with its digest", async () => {
    const pushed = await pushTagged("pipe", IMAGE);
    expectStored(pushed, [LAYER]);
    const patches = pushed.registry.seen(PATCH);
    expect(patches.length).toBeGreaterThan(2);
    let at = 0;
    for (const { headers, body } of patches) {
      expect(headers["content-range"]).toBe(`${at}-${at + body.length - 1}`);
      expect(headers["content-length"]).toBe(String(body.length));
      at += body.length;
    }
    for (const { body } of patches.slice(0, -1)) {
      expect(body.length).toBeGreaterThanOrEqual(PART_BYTES);
      expect(body.length).toBeLessThan(PART_BYTES + 2 * 1024 * 1024);
    }
    expect(pushed.registry.seen(CLOSE).filter(isEmpty)).toHaveLength(1);
    expect(count(pushed, CANCEL)).toBe(0);
  });

  test("push() asks for what fits one part before it sends it", async () => {
    const layer = tarLayer("one part", 5_000_000);
    const image = ordered([layer], [0, "m"]);
    const registry = await ScriptedRegistry.start();
    const tags = [`${registry.host}/app:1`];
    expectStored(await pushBytes(registry, "gzip", image, { tag: tags }), [layer]);
    expect(registry.seen(PATCH)).toEqual([]);
    const sent = registry.seen(CLOSE).length;
    expectStored(await pushBytes(registry, "gzip", image, { tag: tags }), [layer]);
    expect(registry.seen(CLOSE)).toHaveLength(sent);
  });
});

describe("push() of a part that fails", () => {
  test("push() asks again when the question how far the upload got fails, too", async () => {
    const registry = await strictRegistry({ when: isLater, keep: half });
    registry.addFault({ on: STATUS, times: 2, reply: { status: 503 } });
    expectStored(await pushHuge(registry), [LAYER]);
    expect(waits).toHaveLength(3);
  });

  test("push() gives up when a part always fails, and cancels the upload", async () => {
    const registry = await strictRegistry({ when: () => false, keep: half });
    registry.addFault(always({ on: PATCH, when: isLater, reply: { status: 500 } }));
    const pushed = await pushHuge(registry);
    expect(pushed.error).toMatchObject({ code: "ERR_REGISTRY", status: 500 });
    expectNothingTagged(pushed);
    expectNoSessions(pushed);
  });

  test.each([401, 403])("push() stops at once when a part is refused with %i", async status => {
    const pushed = await pushTagged("pipe", IMAGE, { faults: [{ on: PATCH, reply: { status } }] });
    expect(pushed.error).toBeDefined();
    expect(waits).toEqual([]);
    expectNothingTagged(pushed);
    expectNoSessions(pushed);
  });
});

describe("push() of parts into a session that is lost", () => {
  const unknown = Buffer.from('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}');
  const gone: Partial<Reply> = { status: 404, headers: { "content-type": "application/json" }, body: unknown };

  test.each<[string, readonly Fault[]]>([
    ["its first part's answer says so", [{ on: PATCH, when: isFirst, reply: gone }]],
    [
      "its first part failed and the registry has forgotten it",
      [
        { on: PATCH, when: isFirst, reply: { status: 502 } },
        { on: STATUS, reply: gone },
      ],
    ],
  ])("push() starts over when %s", async (_how, faults) => {
    const registry = await strictRegistry({ when: () => false, keep: bytes => bytes });
    for (const fault of faults) registry.addFault(fault);
    registry.addFault({ on: STATUS, reply: gone });
    const pushed = await pushHuge(registry);
    expectStored(pushed, [LAYER]);
    expect(count(pushed, /^POST .*\/uploads\/$/)).toBeGreaterThanOrEqual(2);
  });

  test.each<[string, readonly Fault[]]>([
    ["a later part's answer says so", [{ on: PATCH, when: isLater, reply: gone }]],
    [
      "a later part failed and the registry has forgotten it",
      [
        { on: PATCH, when: isLater, reply: { status: 502 } },
        { on: STATUS, reply: gone },
      ],
    ],
  ])("push() says what to do when %s", async (_how, faults) => {
    const registry = await strictRegistry({ when: () => false, keep: bytes => bytes });
    for (const fault of faults) registry.addFault(fault);
    registry.addFault(always({ on: STATUS, reply: gone }));
    const pushed = await pushHuge(registry);
    expect(pushed.error).toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
    expect(pushed.error?.message).toMatch(/the registry lost the upload after \d+ bytes/);
    expect(pushed.error?.hint).toMatch(/from a file/);
    expectNothingTagged(pushed);
    expectNoSessions(pushed);
  });

  test("push() takes the closing PUT as done when only its answer was lost", async () => {
    const fault: Fault = { on: CLOSE, when: isEmpty, hidden: true, reply: { status: 502 } };
    const pushed = await pushTagged("pipe", IMAGE, { faults: [fault] });
    expectStored(pushed, [LAYER]);
  });

  test("push() fails with a hint when the session is gone at the closing PUT", async () => {
    const pushed = await pushTagged("pipe", IMAGE, {
      faults: [always({ on: CLOSE, when: isEmpty, reply: gone })],
    });
    expect(pushed.error).toMatchObject({ code: "ERR_REGISTRY" });
    expect(pushed.error?.hint).toMatch(/again/);
    expectNothingTagged(pushed);
    expectNoSessions(pushed);
  });
});

describe("push() of parts, logged in", () => {
  const auth = { scheme: "bearer", user: "ci", password: "secret" } as const;
  const options = { registry: { auth: { username: auth.user, password: auth.password } } };

  test.each<[string, Omit<Fault, "onRequest">]>([
    ["in the first part", { on: PATCH, when: isFirst, early: true }],
    ["in a later part", { on: PATCH, when: isLater }],
    ["before the closing PUT", { on: CLOSE, when: isEmpty }],
  ])("push() goes on when its token runs out %s", async (_when, fault) => {
    const registry = await ScriptedRegistry.start({ auth });
    registry.addFault({ ...fault, onRequest: () => registry.tokens.clear() });
    expectStored(await pushHuge(registry, options), [LAYER]);
    expect(waits).toEqual([]);
  });
});
