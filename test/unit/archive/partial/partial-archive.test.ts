import { appendFile, readdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ArchivePlan } from "../../../../src/archive/partial/archive-plan.ts";
import { hash } from "../../../../src/archive/partial/open-journal.ts";
import { openPartialArchive } from "../../../../src/archive/partial/open-partial-archive.ts";
import type { ResumeOptions } from "../../../../src/archive/partial/opened-partial.ts";
import type { PartialArchive } from "../../../../src/archive/partial/partial-archive.ts";
import { StorageError } from "../../../../src/errors.ts";
import { encodeLockRecord } from "../../../../src/util/lock/lock-record.ts";
import { decodeFrames } from "../../../../src/util/lock/record-frame.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { noise, sha256Of } from "../../../support/memory-blobs.ts";

const MIB = 1024 * 1024;
const content = noise(3 * MIB);
const plan: ArchivePlan = {
  id: hash("plan"),
  totalBytes: 512 + content.length,
  firstBlock: Buffer.alloc(512, "header"),
  blobs: [{ digest: sha256Of(content), size: content.length, offset: 512 }],
};
const whole = Buffer.concat([plan.firstBlock, content]);
const resume: ResumeOptions = { command: "pull app:1" };

async function opened(path?: string): Promise<{ readonly archive: PartialArchive; readonly path: string }> {
  const place = path ?? join(await temporaryFolder(), "out.tar");
  const archive = await openPartialArchive(place, plan, resume);
  onTestFinished(async () => await archive[Symbol.asyncDispose]());
  return { archive, path: place };
}

async function write(archive: PartialArchive, start: number, end: number): Promise<void> {
  await archive.write(content.subarray(start, end), 512 + start);
  await archive.wrote(0, start, end - start);
}

describe("PartialArchive", () => {
  test("has its final name only when it is published, and then nothing else is left", async () => {
    const { archive, path } = await opened();
    await write(archive, 0, content.length);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar.partial", "out.tar.partial.journal"]);
    await archive.publish();
    expect((await readFile(path)).equals(whole)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });

  test("keeps of a blob what lies in front of the first hole", async () => {
    const { archive, path } = await opened();
    await write(archive, 2 * MIB, 3 * MIB);
    expect(archive.kept(0)).toBe(0);
    await write(archive, 0, MIB);
    expect(archive.kept(0)).toBe(MIB);
    await archive[Symbol.asyncDispose]();
    const { archive: again } = await opened(path);
    expect(again.kept(0)).toBe(MIB);
    await write(again, MIB, 3 * MIB);
    await again.publish();
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  test.each([
    ["at its place", 512, 2 * MIB],
    ["elsewhere", 1024, 0],
  ])("what came under a placeholder counts for the digest that is found out: %s", async (_what, offset, kept) => {
    const path = join(await temporaryFolder(), "out.tar");
    const [blob] = plan.blobs;
    if (blob === undefined) throw new Error("no blob");
    const placeholder = sha256Of(Buffer.from("placeholder"));
    const before = { ...plan, id: hash("before"), blobs: [{ ...blob, digest: placeholder, offset }] };
    const first = await openPartialArchive(path, before, resume);
    await first.write(content.subarray(0, 2 * MIB), offset);
    await first.wrote(0, 0, 2 * MIB);
    await first[Symbol.asyncDispose]();
    const formerDigests = new Map([[blob.digest, placeholder]]);
    const second = await openPartialArchive(path, plan, { ...resume, formerDigests });
    expect(second.kept(0)).toBe(kept);
    await write(second, kept, content.length);
    await second[Symbol.asyncDispose]();
    const { archive: third } = await opened(path);
    expect(third.kept(0)).toBe(content.length);
    await third.publish();
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  test("keeps nothing of a blob after a reset, in later runs either", async () => {
    const { archive, path } = await opened();
    await write(archive, 0, 2 * MIB);
    await archive.reset(0);
    expect(archive.kept(0)).toBe(0);
    await write(archive, 0, MIB + 5);
    await archive[Symbol.asyncDispose]();
    expect((await opened(path)).archive.kept(0)).toBe(MIB + 5);
  });

  test("does not promise that the same command resumes after another run took the archive over", async () => {
    const path = join(await temporaryFolder(), "out.tar");
    const notes: string[] = [];
    const archive = await openPartialArchive(path, plan, { ...resume, onNote: text => notes.push(text) });
    await write(archive, 0, 2 * MIB);
    const journal = `${path}.partial.journal`;
    const [claim] = [...decodeFrames(await readFile(journal))];
    await appendFile(journal, encodeLockRecord({ type: "release", id: claim?.id ?? "" }));
    await archive[Symbol.asyncDispose]();
    expect(notes).toEqual([]);
    expect((await readdir(join(path, ".."))).sort()).toEqual(["out.tar.partial", "out.tar.partial.journal"]);
  });

  test("knows nothing of a blob that the plan does not have", async () => {
    const { archive } = await opened();
    expect(archive.kept(7)).toBe(0);
    await archive.wrote(7, 0, 10);
    expect(archive.kept(7)).toBe(0);
  });

  test("gives no name to a file that was replaced, and leaves the other one alone", async () => {
    const { archive, path } = await opened();
    await write(archive, 0, content.length);
    await rename(`${path}.partial`, `${path}.moved`);
    await writeFile(`${path}.partial`, "another's");
    await expect(archive.publish()).rejects.toThrow(/was replaced meanwhile, expected to own it/);
    await archive[Symbol.asyncDispose]();
    expect(await readFile(`${path}.partial`, "utf8")).toBe("another's");
    expect(await readdir(join(path, ".."))).not.toContain("out.tar");
  });

  test("gives no name to a file that was cut or is gone", async () => {
    for (const change of [
      async (path: string) => await truncate(path, 1000),
      async (path: string) => await rename(path, `${path}.moved`),
    ]) {
      const { archive, path } = await opened();
      await write(archive, 0, content.length);
      await change(`${path}.partial`);
      await expect(archive.publish()).rejects.toThrow(StorageError);
      expect(await readdir(join(path, ".."))).not.toContain("out.tar");
    }
  });
});
