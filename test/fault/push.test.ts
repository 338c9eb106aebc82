import { beforeEach, describe, expect, test } from "vitest";
import { seededBytes, temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
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
const MANIFEST = /^PUT \/v2\/app\/manifests\//;

beforeEach(() => {
  waits.length = 0;
});

describe("push() gets over what may pass", () => {
  test.each<[string, Fault]>([
    ["503 to the first request of all", { on: /./, reply: { status: 503 } }],
    ["503 to a HEAD", { on: /^HEAD /, times: 2, reply: { status: 503 } }],
    ["500 to a new session", { on: START, times: 3, reply: { status: 500 } }],
    ["502 to a streamed layer", { on: PATCH, times: 2, reply: { status: 502 } }],
    ["503 to a streamed layer before it was read", { on: PATCH, early: true, reply: { status: 503 } }],
    ["504 to the closing PUT", { on: PUT, times: 2, reply: { status: 504 } }],
    ["503 to the manifest", { on: MANIFEST, times: 4, reply: { status: 503 } }],
    ["a reset on a new session", { on: START, cut: "before" }],
    ["a reset on a streamed layer", { on: PATCH, cut: "before" }],
    ["a reset on the closing PUT", { on: PUT, cut: "before" }],
    ["a reset on the manifest", { on: MANIFEST, cut: "before" }],
  ])("push() gets over %s", async (_what, fault) => {
    const pushed = await pushCase({ faults: [fault] });
    expectStored(pushed);
    expect(count(pushed, fault.on)).toBeGreaterThan(fault.times ?? 1);
  });

  test("push() waits as long as a 429 says, with a body too", async () => {
    const reply = { status: 429, headers: { "retry-after": "11" } };
    expectStored(await pushCase({ faults: [{ on: PATCH, reply }] }));
    expect(waits).toEqual([11_000]);
  });

  test("push() asks a registry that stays down five times, not five times five", async () => {
    const pushed = await pushCase({ faults: [always({ on: PATCH, reply: { status: 503 } })], layers: [BIG_LAYER] });
    expect(pushed.error).toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
    expect(count(pushed, PATCH)).toBe(5);
    expectNoManifest(pushed);
  });
});

describe("push() and a registry with damaged blobs", () => {
  test("push() uploads a blob again whose size in the registry is not the descriptor's", async () => {
    const cut = always({
      on: /^HEAD .*\/blobs\//,
      change: () => ({ status: 200, headers: { "content-length": "3" } }),
    });
    const pushed = await pushCase({ faults: [cut], layers: [SMALL_LAYER] });
    expectStored(pushed, [SMALL_LAYER]);
    expect(count(pushed, PUT)).toBe(2);
  });
});

describe("push() mounts", () => {
  const layers = [SMALL_LAYER];
  const MOUNT = /^POST \/v2\/other\/blobs\/uploads\/\?mount=/;

  async function pushTwice(fault?: Fault): Promise<Awaited<ReturnType<typeof pushTo>>> {
    const registry = await ScriptedRegistry.start();
    registry.content.isApart = true;
    const cacheFolder = await temporaryFolder();
    expectStored(await pushTo(registry, { layers, options: { cacheDir: cacheFolder } }), layers);
    if (fault !== undefined) registry.addFault(always(fault));
    return await pushTo(registry, { layers, options: { cacheDir: cacheFolder, tag: ["other:2"] } });
  }

  test("push() sends nothing that another repository of the registry has", async () => {
    const pushed = await pushTwice();
    expectStored(pushed, layers, "other:2");
    expect(pushed.result?.blobs).toEqual({ uploaded: 0, mounted: 2, skipped: 0, cached: 1 });
    expect(count(pushed, /^(PATCH|PUT) \/v2\/other\/blobs/)).toBe(0);
  });

  test("push() uploads a blob whose size is not the descriptor's where it was mounted", async () => {
    const change = () => ({ headers: { "content-length": "5" } });
    const pushed = await pushTwice({ on: /^HEAD \/v2\/other\/blobs/, change });
    expectStored(pushed, layers, "other:2");
    expect(pushed.result?.blobs).toMatchObject({ uploaded: 2, mounted: 0 });
  });

  test.each<[string, Omit<Fault, "on">]>([
    ["401 for an unknown project", { reply: { status: 401 } }],
    ["403", { reply: { status: 403 } }],
    ["404", { reply: { status: 404 } }],
    ["405", { reply: { status: 405 } }],
    ["500", { reply: { status: 500 } }],
    ["202 without a session", { reply: { status: 202 } }],
    ["202 with a session", { change: () => ({ status: 202, headers: { location: "/v2/other/blobs/uploads/none" } }) }],
    ["a dropped connection", { cut: "before" }],
  ])("push() uploads what the registry will not mount: %s", async (_what, refusal) => {
    const registry = await ScriptedRegistry.start();
    const cacheFolder = await temporaryFolder();
    await pushTo(registry, { layers, options: { cacheDir: cacheFolder } });
    registry.content.blobs.clear();
    registry.addFault(always({ on: MOUNT, ...refusal }));
    const pushed = await pushTo(registry, { layers, options: { cacheDir: cacheFolder, tag: ["other:2"] } });
    expectStored(pushed, layers, "other:2");
    expect(pushed.result?.blobs).toMatchObject({ uploaded: 2, mounted: 0 });
  });
});

describe("push() checks what the registry stored", () => {
  test("push() asks for the digest where the manifest's answer has none", async () => {
    const pushed = await pushCase({ faults: [{ on: MANIFEST, change: () => ({ headers: {} }) }] });
    expectStored(pushed);
    expect(count(pushed, /^HEAD \/v2\/app\/manifests\/1$/)).toBe(1);
  });

  test("push() reads the manifest back from a registry that never tells digests", async () => {
    const pushed = await pushCase({
      faults: [
        always({
          on: /manifests/,
          change: ({ headers }) => ({
            headers: { ...(headers["content-type"] && { "content-type": headers["content-type"] }) },
          }),
        }),
      ],
    });
    expectStored(pushed);
    // One before the push, whether the image is there already, and one behind it.
    expect(count(pushed, /^GET \/v2\/app\/manifests\/1$/)).toBe(2);
  });

  test.each<[string, Fault]>([
    [
      "another manifest",
      { on: MANIFEST, change: () => ({ headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }) },
    ],
    ["another blob", { on: PUT, change: () => ({ headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }) }],
    ["nothing, though it said 201", { on: MANIFEST, reply: { status: 201 } }],
  ])("push() refuses a registry that stored %s", async (_what, fault) => {
    const pushed = await pushCase({ faults: [fault] });
    expect(pushed.error).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
  });
});

test("push-mixes-small-layers: many small layers at once arrive as they are", async () => {
  const layers = Array.from({ length: 24 }, (_none, place) =>
    Buffer.alloc(200_000 + place, seededBytes(`${place}`, 997)),
  );
  expectStored(await pushCase({ layers }), layers);
});
