// The man pages, as the `man` of this machine shows them.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";

const folder = fileURLToPath(new URL("../../man", import.meta.url));
const pages = (await readdir(folder)).sort();

describeWith(["man"], "man -l", () => {
  // Both character sets: what only one has would be a warning.
  test.each(["C", "C.UTF-8"])("shows each page in 80 columns, without a warning: %s", async locale => {
    const env = { LC_ALL: locale, MANWIDTH: "80", MANPAGER: "cat", MANROFFOPT: "-ww" };
    const { code, stdout, stderr } = await run("man", ["--warnings", "-l", ...pages.map(page => join(folder, page))], {
      env,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.replace(/.[\b]/g, "").split("\n");
    expect(lines.filter(line => line === "NAME")).toHaveLength(pages.length);
    // No hyphen is added: names are to be copied.
    expect(lines.filter(line => line.includes("\u2010"))).toEqual([]);
    // A command line of an example is not broken.
    const isExample = (line: string): boolean => /^ {11}\S/.test(line);
    expect(lines.filter(line => line.length > 80 && !isExample(line))).toEqual([]);
  });
});

describeWith(["lexgrog"], "man -k", () => {
  test("finds each page by its name", async () => {
    const { stdout } = await run(
      "lexgrog",
      pages.map(page => join(folder, page)),
    );
    const found = stdout
      .trimEnd()
      .split("\n")
      .map(line => /"(\S+) - \S/.exec(line)?.[1]);
    expect(found).toEqual(pages.map(page => page.replace(/\.\d$/, "")));
  });

  test("has the title and the section of its file in the head of each page", async () => {
    for (const page of pages) {
      const [, name = "", section = ""] = /^(.*)\.(\d)$/.exec(page) ?? [];
      const title = name.toUpperCase().replaceAll("-", "\\-");
      expect(await readFile(join(folder, page), "utf8")).toContain(`\n.TH ${title} ${section} `);
    }
  });
});
