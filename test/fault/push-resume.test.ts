import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../src/index.ts";
import { sha256 } from "../support/memory-registry.ts";
import { KEEP, KEPT, LAYER, MANIFEST, Runs } from "./push-resume-support.ts";

describe("push() goes on with an upload that an earlier run left", () => {
  test("push() of a layer as it is sends only what the registry has not", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    const file = await stat(await runs.onlyRecord());
    expect(file.mode & 0o777).toBe(0o600);
    expect((await stat(runs.journal)).mode & 0o777).toBe(0o700);
    expect(await runs.push(KEEP)).toBeUndefined();
    const [large] = runs.registry.seen(/^PATCH /);
    expect(large?.range).toMatch(new RegExp(`^${KEPT}-`));
    const bytes = runs.registry.seen(/^PATCH /).reduce((sum, seen) => sum + seen.bytes, 0);
    expect(bytes).toBe(LAYER.length - KEPT);
    expect(runs.events).toContainEqual({
      kind: "note",
      message: `${runs.registry.host}/app has ${KEPT} bytes of blob ${sha256(LAYER)} from an earlier run; uploading the rest`,
    });
    await runs.expectDone();
  });

  test("push() of a layer that is compressed on its way makes it again, and sends the rest", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT);
    expect(await runs.push()).toBeUndefined();
    const sent = runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0);
    const whole = Math.max(...[...runs.registry.content.blobs.values()].map(({ length }) => length));
    expect(sent).toBe(whole - KEPT);
    await runs.expectDone(false);
  });

  test("push() only closes an upload of which everything had arrived", async () => {
    const runs = await Runs.start();
    await runs.breakOff(LAYER.length, KEEP);
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /)).toEqual([]);
    await runs.expectDone();
  });

  test("push() starts over where the registry has forgotten the upload", async () => {
    const runs = await Runs.start({ isDistribution: true });
    await runs.breakOff(KEPT, KEEP);
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).map(({ bytes }) => bytes)).toEqual([LAYER.length]);
    await runs.expectDone();
  });

  test("push() gets over a connection that breaks, within one run, without sending anything twice", async () => {
    const runs = await Runs.start();
    runs.registry.leaveAfter(KEPT);
    const back = (event: ProgressEvent): void => {
      if (event.kind === "retry") runs.registry.comeBack();
    };
    const registry = { host: runs.registry.host, retry: { count: 2 } };
    expect(await runs.push({ ...KEEP, registry, onProgress: back })).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(LAYER.length - KEPT);
    await runs.expectDone();
  });

  test("push() without a cache folder keeps nothing, and sends a large blob in one PUT", async () => {
    const runs = await Runs.start();
    expect(await runs.push({ ...KEEP, cacheDir: undefined })).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /)).toEqual([]);
    await expect(runs.journalFiles()).rejects.toThrow("ENOENT");
  });

  test("push() keeps no upload of a layer that is not what its archive says", async () => {
    const runs = await Runs.start();
    const bytes = await readFile(runs.archive);
    bytes[9_000_000] = (bytes[9_000_000] ?? 0) ^ 1;
    await writeFile(runs.archive, bytes);
    expect(await runs.push(KEEP)).toMatchObject({ exitCode: 6 });
    expect(runs.registry.openSessions).toBe(0);
    expect(runs.registry.seen(MANIFEST)).toEqual([]);
    expect(await runs.journalFiles()).toEqual([]);
  });

  test("push() finds a layer altered in the part that the registry has already", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    const bytes = await readFile(runs.archive);
    bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1;
    await writeFile(runs.archive, bytes);
    expect(await runs.push(KEEP)).toMatchObject({ exitCode: 6 });
    expect(runs.registry.seen(MANIFEST)).toEqual([]);
    expect(runs.registry.content.blobs.has(sha256(LAYER))).toBe(false);
  });
});
