import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { brokenOff, expectWholeUpload } from "./push-resume-support.ts";

test.each<[string, (record: Record<string, unknown>) => unknown]>([
  ["of another version", record => ({ ...record, imgpack: "upload-1" })],
  ["that is old", record => ({ ...record, time: Date.now() - 25 * 3_600_000 })],
  ["from the future", record => ({ ...record, time: Date.now() + 25 * 3_600_000 })],
  ["without a mark", record => ({ ...record, imgpack: undefined })],
  ["of another blob", record => ({ ...record, id: "0".repeat(64) })],
  ["with an odd offset", record => ({ ...record, offset: -1 })],
  ["with a URL that is none", record => ({ ...record, url: "\\\\evil\\x" })],
  ["with user information in its URL", record => ({ ...record, url: String(record["url"]).replace("//", "//a:b@") })],
  ["with a local address", record => ({ ...record, url: "http://169.254.169.254/latest" })],
  ["that is a list", () => []],
  ["that is null", () => null],
])("push() ignores a record %s", async (_what, change) => {
  const { runs, path, text } = await brokenOff();
  await writeFile(path, JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)));
  await expectWholeUpload(runs);
  expect(await runs.journalFiles()).toEqual([]);
});
