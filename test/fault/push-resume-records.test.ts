import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { encodeLockRecord, newClaim } from "../../src/util/lock/lock-record.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { brokenOff, expectWholeUpload, KEEP, KEPT, LAYER, Runs } from "./push-resume-support.ts";

describe("push() does not believe every record", () => {
  test("push() ignores a torn record", async () => {
    const { runs, path, text } = await brokenOff();
    await writeFile(path, text.slice(0, -9));
    await expectWholeUpload(runs);
  });

  test("A-05 push() asks no other origin, whatever a record says", async () => {
    const other = await ScriptedRegistry.start();
    const { runs, path, text } = await brokenOff();
    await writeFile(path, text.replace(runs.registry.host, other.host));
    await expectWholeUpload(runs);
    expect(other.requests).toEqual([]);
  });

  test("push() ignores a record that others can read", async () => {
    const { runs, path } = await brokenOff();
    await chmod(path, 0o644);
    await expectWholeUpload(runs);
  });

  test("F-01 push() neither reads nor writes through a link", async () => {
    const { runs, path, text } = await brokenOff();
    const elsewhere = await fileWith(Buffer.from(text), "record.json");
    await chmod(elsewhere, 0o600);
    await rm(path);
    await symlink(elsewhere, path);
    await expectWholeUpload(runs);
    expect(await readFile(elsewhere, "utf8")).toBe(text);
  });

  test("F-01 push() writes nothing into a folder that is a link", async () => {
    const runs = await Runs.start();
    const elsewhere = await temporaryFolder();
    await mkdir(runs.cacheDir, { recursive: true });
    await symlink(elsewhere, runs.journal);
    await runs.breakOff(KEPT, KEEP);
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await runs.push(KEEP)).toBeUndefined();
  });

  test("push() leaves the upload of a run that still goes on alone", async () => {
    const { runs, path } = await brokenOff();
    // Without ticks, any process with this pid counts: the one that started this one.
    const { started, ...claim } = await newClaim();
    const parent = { ...claim, pid: process.ppid, started: started && { ...started, ticks: 0 } };
    await writeFile(lockOf(path), encodeLockRecord(parent), { mode: 0o600 });
    await expectWholeUpload(runs);
    expect(await runs.journalFiles()).toHaveLength(2);
    expect(runs.registry.openSessions).toBe(1);
  });

  test.each([
    ["has ended", "its pid", {}],
    ["ended in another container", "no sign of life", { namespace: "ab".repeat(8) }],
  ])("push() goes on in place of a run that %s", async (_name, _because, other) => {
    const { runs, path } = await brokenOff();
    const claim = { ...(await newClaim()), pid: 4_000_000, ...other };
    await writeFile(lockOf(path), encodeLockRecord(claim), { mode: 0o600 });
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.uploadedBytes).toBeLessThan(LAYER.length);
    await runs.expectDone();
  });
});

function lockOf(record: string): string {
  return record.replace(/json$/, "lock");
}
