import { link, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
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

const inside: readonly (readonly [string, string, (folder: string) => readonly string[]])[] = [
  ["convert into a layout", "it is in the input", at => ["convert", `${at}/in`, `${at}/in/x.tar`]],
  [
    "doctor --repair into a layout",
    "it is in the input",
    at => ["doctor", `${at}/in`, "--repair", `${at}/in/index.json`],
  ],
  [
    "--failed-list in a layout",
    "it is in the input",
    at => ["push", `${at}/in`, "--registry", "127.0.0.1:9", "--failed-list", `${at}/in/index.json`],
  ],
  [
    "--failed-list of -o",
    "the run writes its output",
    at => ["pull", "127.0.0.1:9/a:1", "-o", `${at}/x.tar`, "--failed-list", `${at}/./x.tar`],
  ],
  [
    "--failed-list in a folder of -o",
    "the run writes its output",
    at => ["pull", "127.0.0.1:9/a:1", "-o", `${at}/in/`, "--failed-list", `${at}/in/index.json`],
  ],
  [
    "--failed-list under the name of the journal",
    "the run writes its output",
    at => ["pull", "127.0.0.1:9/a:1", "-o", `${at}/x.tar`, "--failed-list", `${at}/x.tar.partial.journal`],
  ],
  [
    "a list under the name of the partial file",
    "it is the input",
    at => ["pull", "--from-file", `${at}/x.tar.partial`, "-o", `${at}/x.tar`, "--restart"],
  ],
];
test.each(inside)(
  "an output in the way of an input or of another output is refused: %s",
  async (_what, found, words) => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "in"));
    await writeFile(join(folder, "in", "index.json"), "precious");
    await writeFile(join(folder, "x.tar.partial"), "precious");
    const { exitCode, stderr } = await runCommand(...words(folder));
    expect(stderr).toMatch(/^Cannot write ".*": .*, expected .*\n/);
    expect(stderr).toContain(found);
    expect(exitCode).toBe(2);
    expect(await readFile(join(folder, "in", "index.json"), "utf8")).toBe("precious");
    expect(await readFile(join(folder, "x.tar.partial"), "utf8")).toBe("precious");
  },
);
