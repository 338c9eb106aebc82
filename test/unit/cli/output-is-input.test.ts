import { link, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../../support/command-line.ts";
import { temporaryFolder } from "../../support/images.ts";

const same: readonly (readonly [string, (at: string) => readonly string[]])[] = [
  ["push a.tar --failed-list a.tar", at => ["push", at, "--registry", "127.0.0.1:9", "--failed-list", at]],
  [
    "push --from-file list --failed-list list",
    at => ["push", "--from-file", at, "--registry", "127.0.0.1:9", "--failed-list", at],
  ],
  ["pull -o of --ca-file", at => ["pull", "127.0.0.1:9/a:1", "-o", at, "--ca-file", at]],
  ["pull -o of -f", at => ["pull", "--from-file", at, "-o", at]],
  ["convert a.tar a.tar", at => ["convert", at, at]],
  ["convert a.tar to a link to it", at => ["convert", at, `${at}.link`]],
  ["import to another name of the input", at => ["import", at, "--tag", "a:1", "-o", `${at}.hard`]],
  ["doctor --repair", at => ["doctor", at, "--repair", at]],
  [
    "push of an archive in the list",
    at => ["push", "--from-file", `${at}.list`, "--failed-list", at, "--registry", "h"],
  ],
];
test.each(same)("an output that is an input is refused, and stays as it is: %s", async (_what, words) => {
  const folder = await temporaryFolder();
  const at = join(folder, "input");
  await writeFile(at, "precious");
  await symlink(at, `${at}.link`);
  await link(at, `${at}.hard`);
  await writeFile(`${at}.list`, `${at}\n`);
  const { exitCode, stderr } = await runCommand(...words(at));
  expect(stderr).toMatch(/^Cannot write ".*": it is the input ".*", expected another file\n/);
  expect(exitCode).toBe(2);
  expect(await readFile(at, "utf8")).toBe("precious");
  expect(await readdir(folder)).toHaveLength(4);
});
