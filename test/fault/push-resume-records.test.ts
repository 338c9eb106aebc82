import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ownIdentity, type ProcessIdentity } from "../../src/util/process-identity.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { brokenOff, expectWholeUpload, KEEP, KEPT, LAYER, Runs } from "./push-resume-support.ts";

/** Of the process that started this one, and still runs. */
async function identityOfParent(): Promise<ProcessIdentity> {
  const { started } = await ownIdentity();
  if (started === null) return { pid: process.ppid, started };
  const [boot] = started.split(" ");
  const stat = await readFile(`/proc/${process.ppid}/stat`, "utf8");
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return { pid: process.ppid, started: `${boot} ${ticks}` };
}

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
    const { runs, path, text } = await brokenOff();
    const owner = await identityOfParent();
    await writeFile(path, JSON.stringify({ ...(JSON.parse(text) as object), owner }));
    await expectWholeUpload(runs);
    expect(await runs.journalFiles()).toHaveLength(1);
    expect(runs.registry.openSessions).toBe(1);
  });

  test("push() goes on in place of a run that has ended", async () => {
    const { runs, path, text } = await brokenOff();
    const owner = { pid: 4_000_000, started: "another boot" };
    await writeFile(path, JSON.stringify({ ...(JSON.parse(text) as object), owner }));
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.uploadedBytes).toBeLessThan(LAYER.length);
    await runs.expectDone();
  });
});
