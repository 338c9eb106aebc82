import { beforeEach, describe, expect, test } from "vitest";
import { PART_BYTES } from "../../src/registry/upload/upload-chunked.ts";
import { waits } from "../support/instant-waits.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import {
  CLOSE,
  half,
  IMAGE,
  isEmpty,
  isLater,
  LAYER,
  PATCH,
  pushHuge,
  STATUS,
  strictRegistry,
} from "./push-once-parts.ts";
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
