import { describe, expect, test } from "vitest";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { BIG_LAYER, expectStored, pushTo, SMALL_LAYER } from "./push-support.ts";

/** What a registry was asked since the last call. */
function takeRequests(registry: ScriptedRegistry): readonly string[] {
  return registry.requests.splice(0).map(({ method, path }) => `${method} ${path.split("?", 1)[0]}`);
}

describe("push() of an image that is there already, with nothing known from before", () => {
  test("asks once, compresses nothing and sends nothing", async () => {
    const registry = await ScriptedRegistry.start();
    const first = await pushTo(registry);
    expectStored(first);
    takeRequests(registry);
    const { result } = await pushTo(registry);
    expect(takeRequests(registry)).toEqual(["GET /v2/app/manifests/1"]);
    expect(result).toMatchObject({ bytesSent: 0, requests: 1, blobs: { uploaded: 0 } });
    expect(result?.images).toEqual(first.result?.images);
  });

  test("says that copies of what the registry has were not checked, so that damage in them is no surprise", async () => {
    const registry = await ScriptedRegistry.start();
    const keep = { options: { compression: "keep" } } as const;
    const first = await pushTo(registry, keep);
    expect(first.result?.uncheckedBlobs).toBe(0);
    const again = await pushTo(registry, keep);
    expect(again.result).toMatchObject({ uncheckedBlobs: 3, blobs: { skipped: 3 } });
  });

  test("puts it under a tag that does not stand for it yet", async () => {
    const registry = await ScriptedRegistry.start();
    const first = await pushTo(registry);
    const again = await pushTo(registry, { options: { tag: [`${registry.host}/app:1`, `${registry.host}/app:2`] } });
    expectStored(again, undefined, "app:2");
    const digest = first.result?.images[0]?.digest;
    expect(again.result?.images).toEqual([
      { reference: `${registry.host}/app:1`, digest },
      { reference: `${registry.host}/app:2`, digest },
    ]);
  });

  test("replaces another image under the same tag", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry, { layers: [BIG_LAYER] });
    expectStored(await pushTo(registry, { layers: [BIG_LAYER, SMALL_LAYER] }));
  });

  test("pushes all the same when a level of compression was asked for", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry);
    const { result } = await pushTo(registry, { options: { compression: "gzip:9" } });
    expect(result?.blobs.uploaded).toBeGreaterThan(0);
  });

  test("does not ask where the layers are small", async () => {
    const registry = await ScriptedRegistry.start();
    await pushTo(registry, { layers: [SMALL_LAYER] });
    expect(takeRequests(registry)).not.toContain("GET /v2/app/manifests/1");
  });

  test("takes an answer that makes no sense for a no", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /^GET \/v2\/app\/manifests\//, times: 1, reply: { status: 200, body: Buffer.from("<html>") } }],
    });
    expectStored(await pushTo(registry));
  });
});
