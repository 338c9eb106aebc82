import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KEEP, KEPT, LAYER, Runs } from "./push-resume-support.ts";

describe("push() resumes an upload that an earlier run left", () => {
  test("push() that breaks off again and again sends every byte once", async () => {
    const runs = await Runs.start();
    let left = LAYER.length;
    for (const bytes of [1, 9_000_000, 10_000, 3_000_000]) {
      runs.registry.comeBack();
      runs.registry.leaveAfter(bytes);
      expect(await runs.push(KEEP)).toMatchObject({ exitCode: 7 });
      left -= runs.registry.uploadedBytes;
    }
    // One byte cannot be told from none: "0-0" is said of both.
    left += 1;
    runs.registry.comeBack();
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(left);
    await runs.expectDone();
  });

  test.each([
    ["the question how far it is", /^GET .*uploads/, 500],
    ["the rest", /^PATCH .*session-1/, 416],
    ["the rest for its size", /^PATCH .*session-1/, 413],
    ["the end", /^PUT .*session-1\b.*digest/, 400],
  ])("push() starts over where the registry refuses %s", async (_what, on, status) => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    runs.registry.refusal = { on, status };
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.events.filter(({ kind }) => kind === "note")).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/; (uploading it from the start|starting over)$/) }),
    );
    expect(runs.registry.seen(/^PATCH .*session-[2-9]/)).toMatchObject([{ bytes: LAYER.length }]);
    runs.registry.refusal = undefined;
    await runs.expectDone();
  });

  test("push() with an archive that is compressed as a whole goes on, too", async () => {
    const runs = await Runs.start();
    const plain = await readFile(runs.archive);
    await writeFile(runs.archive, gzipSync(plain, { level: 1 }));
    await runs.breakOff(KEPT, KEEP);
    // Besides the upload that is kept: of the next layer, and no registry was there to cancel it.
    const begun = runs.registry.openSessions - 1;
    expect(await runs.push(KEEP)).toBeUndefined();
    const sent = runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(sent).toBeLessThan(LAYER.length - KEPT + 8 * 1024 * 1024);
    await runs.expectDone(true, begun);
  });
});
