import { beforeEach, describe, expect, test } from "vitest";
import { waits } from "../support/instant-waits.ts";
import type { Reply } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import {
  CLOSE,
  IMAGE,
  isEmpty,
  isFirst,
  isLater,
  LAYER,
  PATCH,
  pushHuge,
  STATUS,
  strictRegistry,
} from "./push-once-parts.ts";
import { expectNoSessions, expectNothingTagged, ownTemporaryFolder, pushTagged } from "./push-once-support.ts";
import { always, count, expectStored } from "./push-support.ts";

ownTemporaryFolder();

beforeEach(() => {
  waits.length = 0;
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
