import type { Stats } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArchiveError, NetworkError, StorageError } from "../../../src/errors.ts";
import { blameChangedInput, checkSame, checkUnchanged } from "../../../src/util/input-guard.ts";

const at = (fields: Partial<Stats> = {}): Stats =>
  ({ size: 10, mtimeMs: 1_600_000_000_000, ino: 1, dev: 1, ctimeMs: 1, nlink: 1, ...fields }) as Stats;

const faultOf = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("checkUnchanged()", () => {
  test.each<[string, Partial<Stats>, string | undefined]>([
    ["is as it was", {}, undefined],
    ["got another name, owner or link", { ctimeMs: 2, nlink: 0 }, undefined],
    ["grew", { size: 11 }, "10 bytes at first, 11 bytes now"],
    ["shrank and grew older", { size: 9, mtimeMs: 1 }, "10 bytes at first, 9 bytes now"],
    ["was written to", { mtimeMs: 1_600_000_000_001 }, "last written to at 2020-09-13T12:26:40.001Z"],
    ["was written to in less than a millisecond", { mtimeMs: 1_600_000_000_000.25 }, "last written to at"],
    ["was given an older time", { mtimeMs: 0 }, "last written to at 1970-01-01T00:00:00.000Z"],
  ])("checkUnchanged() knows a file that %s", (_what, fields, found) => {
    const error = faultOf(() => checkUnchanged('archive "a.tar"', at(), at(fields)));
    if (found === undefined) return expect(error).toBeUndefined();
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ origin: "source", message: expect.stringContaining(`(${found}`) as string });
  });
});

describe("checkSame()", () => {
  test.each([{ ino: 2 }, { dev: 2 }])("checkSame() refuses another file under the same name", fields => {
    expect(faultOf(() => checkSame('file "a"', at(), at(fields)))).toMatchObject({
      exitCode: 9,
      message:
        'Cannot read file "a": file changed while it was read (it was replaced by another file), expected it to stay as it was',
    });
  });
});

describe("blameChangedInput()", () => {
  const damaged = new ArchiveError("cut", "Cannot read archive: it is cut, expected more");
  const changed = new StorageError("Cannot read archive: file changed", { hint: "Wait." });
  const failing = (error: Error) => async () => await Promise.reject(error);

  test("blameChangedInput() explains damage by a change, and keeps the damage as the cause", async () => {
    await expect(blameChangedInput(failing(changed), failing(damaged))).rejects.toMatchObject({
      message: changed.message,
      hint: "Wait.",
      origin: "source",
      cause: damaged,
    });
  });

  test("blameChangedInput() leaves damage as it is where nothing changed, or nobody can tell", async () => {
    await expect(blameChangedInput(async () => undefined, failing(damaged))).rejects.toBe(damaged);
    await expect(blameChangedInput(undefined, failing(damaged))).rejects.toBe(damaged);
    await expect(blameChangedInput(failing(new Error("EBADF")), failing(damaged))).rejects.toBe(damaged);
  });

  test("blameChangedInput() does not ask about what has nothing to do with the input", async () => {
    const full = new StorageError("Cannot write out.tar: no space left");
    full.origin = "target";
    for (const error of [new NetworkError("Cannot reach registry"), full, new Error("stopped")])
      await expect(blameChangedInput(failing(changed), failing(error))).rejects.toBe(error);
  });

  test("blameChangedInput() returns what the work returns", async () => {
    await expect(blameChangedInput(failing(changed), async () => 7)).resolves.toBe(7);
  });
});
