import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type ProgressEvent, push } from "../../src/index.ts";
import { serveRegistry } from "../../src/serve/server.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { KEEP, KEPT, LAYER, Runs } from "./push-resume-support.ts";

// An interrupted run gives the registry a moment to acknowledge what has arrived: here it is always long enough.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("push() ends a stream to distribution when it is interrupted, and goes on there", async () => {
  const runs = await Runs.start({ isDistribution: true });
  const stop = new AbortController();
  const enough = new Error("enough");
  runs.registry.callAfter(KEPT, () => stop.abort(enough));
  await expect(runs.push({ ...KEEP, signal: stop.signal })).rejects.toBe(enough);
  expect(runs.registry.seen(/^DELETE /)).toEqual([]);
  const kept = runs.registry.uploadedBytes;
  expect(kept).toBeGreaterThanOrEqual(KEPT);
  expect(kept).toBeLessThan(LAYER.length);
  runs.registry.comeBack();
  expect(await runs.push(KEEP)).toBeUndefined();
  const [rest, ...others] = runs.registry.seen(/^PATCH /);
  expect(rest).toMatchObject({ range: undefined, bytes: LAYER.length - kept });
  expect(others).toEqual([]);
  await runs.expectDone();
});

test("push() to imgpack's own registry goes on where it was interrupted", async () => {
  const store = await temporaryFolder();
  const served = await serveRegistry({ store });
  onTestFinished(async () => await served.close());
  const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [LAYER] }));
  const options = { registry: served.url.replace("http://", ""), cacheDir: await temporaryFolder(), ...KEEP };
  const stop = new AbortController();
  let bytes = 0;
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === "bytes") bytes += event.delta;
    if (bytes > KEPT) stop.abort(new Error("enough"));
  };
  await expect(push([archive], { ...options, onProgress, signal: stop.signal })).rejects.toThrow("enough");
  const { bytesSent, images } = await push([archive], options);
  expect(bytesSent).toBeGreaterThan(1000);
  expect(bytesSent).toBeLessThan(LAYER.length - KEPT + 3_000_000);
  expect(images).toHaveLength(1);
  const blob = await fetch(`${served.url}/v2/app/blobs/${sha256(LAYER)}`);
  expect(sha256(new Uint8Array(await blob.arrayBuffer()))).toBe(sha256(LAYER));
  expect(await readdir(join(options.cacheDir, "uploads"))).toEqual([]);
});
