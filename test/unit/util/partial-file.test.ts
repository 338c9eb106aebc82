import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import type { DiskFile } from "../../../src/util/disk.ts";
import { watchOperations } from "../../../src/util/operation-hook.ts";
import { PartialFile } from "../../../src/util/partial-file.ts";
import { temporaryFolder } from "../../support/images.ts";

/** What a killed run leaves of a file of so many bytes. */
async function leftOver(bytes: number): Promise<Buffer> {
  const path = join(await temporaryFolder(), "z");
  await using file = await PartialFile.create(path, bytes);
  await file.write(Buffer.alloc(bytes, "half"), 0);
  return await readFile(`${path}.partial`);
}

async function written(path: string, text: string): Promise<void> {
  await using file = await PartialFile.create(path, text.length);
  await file.write(Buffer.from(text), 0);
  await file.publish();
}

test("PartialFile does not remove a file of the user that is named z.partial", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "z.partial"), "my own notes");
  const refused = await PartialFile.create(join(folder, "z"), 5).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StorageError);
  expect(String(refused)).toContain("found a file that imgpack did not write, expected none");
  expect(await readFile(join(folder, "z.partial"), "utf8")).toBe("my own notes");
  expect(await readdir(folder)).toEqual(["z.partial"]);
});

test.each([0, 3, 5000])(
  "PartialFile replaces what a killed run left of %d bytes, and marks nothing that is whole",
  async bytes => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "z.partial"), await leftOver(bytes));
    await written(join(folder, "z"), "whole");
    expect(await readFile(join(folder, "z"), "utf8")).toBe("whole");
    expect(await readdir(folder)).toEqual(["z"]);
  },
);

test("PartialFile replaces the empty file of a run that was killed before it wrote the mark", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "z.partial"), "x");
  await truncate(join(folder, "z.partial"));
  await written(join(folder, "z"), "whole");
  expect(await readdir(folder)).toEqual(["z"]);
});

test("PartialFile replaces what a run left that was killed after it removed the mark, if that is the content wanted", async () => {
  const folder = await temporaryFolder();
  let left: Buffer | undefined;
  watchOperations(async ({ kind }, run) => {
    if (kind === "rename") left = await readFile(join(folder, "z.partial"));
    return await run();
  });
  onTestFinished(() => watchOperations(undefined));
  await written(join(folder, "z"), "whole");
  await writeFile(join(folder, "z.partial"), left ?? "");
  const isWhole = async ({ handle }: DiskFile): Promise<boolean> => (await handle.readFile("utf8")) === "whole";
  await using file = await PartialFile.create(join(folder, "z"), 5, { isWhole });
  await file.publish();
  expect(await readdir(folder)).toEqual(["z"]);
  await writeFile(join(folder, "z.partial"), "mine!");
  await expect(PartialFile.create(join(folder, "z"), 5, { isWhole })).rejects.toThrow("imgpack did not write");
});

test("PartialFile has its mark on the disk before the first byte, and until all bytes are there", async () => {
  const steps: string[] = [];
  watchOperations(async ({ kind, position }, run) => {
    steps.push(position === undefined ? kind : `${kind} ${position}`);
    return await run();
  });
  onTestFinished(() => watchOperations(undefined));
  await written(join(await temporaryFolder(), "z"), "whole");
  expect(steps).toEqual("create,write 5,sync,write 0,sync,truncate,sync,rename,sync-folder".split(","));
});
