import { execFileSync } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tlsFromFlags } from "../../../src/cli/flags/connection-flags.ts";
import { listedImages } from "../../../src/cli/flags/list-flags.ts";
import { temporaryFolder } from "../../support/images.ts";

async function fifo(): Promise<string> {
  const path = join(await temporaryFolder(), "fifo");
  execFileSync("mkfifo", [path]);
  return path;
}

const reads: readonly (readonly [string, (path: string, signal: AbortSignal) => Promise<unknown>])[] = [
  ["--ca-file", async (caFile, signal) => await tlsFromFlags({ caFile }, signal)],
  [
    "--from-file",
    async (list, signal) => await listedImages([], { fromFile: [list] }, "pull", signal, () => undefined),
  ],
];

test.each(reads)("a pipe without a writer as %s ends with the signal's reason", async (_flag, read) => {
  const stop = new AbortController();
  const reading = read(await fifo(), stop.signal);
  setImmediate(() => stop.abort(new Error("stopped")));
  await expect(reading).rejects.toThrow("stopped");
});

test("a list without end is refused", async () => {
  const path = join(await temporaryFolder(), "list");
  await writeFile(path, "a".repeat(512));
  await truncate(path, 128 * 1024 * 1024 + 1);
  const { signal } = new AbortController();
  await expect(listedImages([], { fromFile: [path] }, "pull", signal, () => undefined)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining("found more than 134217728 bytes, expected a list"),
  });
});
