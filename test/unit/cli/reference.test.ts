// docs/COMMANDS.md, man/ and its list in package.json: written by `npm run reference`, and never by hand.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { withSubcommands } from "../../../src/cli/definitions/with-subcommands.ts";
import { HELP_TOPICS } from "../../../src/cli/help/topics/help-topics.ts";
import { pageNameOf } from "../../../src/cli/reference/man/command-page.ts";
import { PROSE_PAGES } from "../../../src/cli/reference/page/prose-pages.ts";
import { referenceFiles } from "../../../src/cli/reference/reference-files.ts";

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");

const files = await referenceFiles(read("package.json"), read("CHANGELOG.md"));
const commands = withSubcommands(await commandDefinitions());

describe("the reference", () => {
  test.each([...files.keys()])("%s is as npm run reference writes it", name => {
    expect(read(name)).toBe(files.get(name));
  });

  test("man/ has no other page", () => {
    const pages = readdirSync(new URL("../../../man", import.meta.url)).map(name => `man/${name}`);
    expect(pages.sort()).toEqual([...files.keys()].filter(name => name.startsWith("man/")).sort());
  });
});

/** What roff prints for its names of characters. */
const CHARACTERS: readonly (readonly [name: string, character: string])[] = [
  ["\\(aq", "'"],
  ["\\(dq", '"'],
  ["\\(ga", "`"],
  ["\\(ha", "^"],
  ["\\(ti", "~"],
  ["\\&", ""],
];

/** Words as they are read: without what marks them in Markdown or roff, and however lines are broken. */
function words(text: string): string {
  const named = CHARACTERS.reduce((all, [name, character]) => all.replaceAll(name, character), text);
  const plain = named.replace(/\\f[BIR]/g, "").replace(/\\e|[`\\]/g, "");
  return plain.replaceAll("…", "...").replaceAll("→", "->").replace(/\s+/g, " ");
}

const sectionsOfPage = new Map(
  read("docs/COMMANDS.md")
    .split(/^(?=#{3,4} )/m)
    .map(section => [/^#+ (.*)/.exec(section)?.[1] ?? "", section]),
);
const sharedOptions = ["Registry", "Transfer", "Output"]
  .map(group => sectionsOfPage.get(`${group} options`))
  .join("\n");

describe.each(commands)("imgpack $name", command => {
  const page = words(read(`man/${pageNameOf(command)}.1`));
  const section = words(sectionsOfPage.get(command.name) ?? "");
  const { positionals, flags, examples } = command;

  test("has each flag, with its value, its default and its short form, in its man page and in docs/COMMANDS.md", () => {
    for (const { name, alias, value, text } of flags) {
      const long = `--${name}${value === undefined ? "" : ` ${value.placeholder}`}`;
      expect(page).toContain(words(`${alias === undefined ? "" : `-${alias}, `}${long} ${text}`));
      expect(section).toContain(`--${name}`);
      const inTable = words(`${alias === undefined ? "" : `-${alias}, `}${long} | ${text}`);
      expect(section.includes(inTable) || words(sharedOptions).includes(inTable), inTable).toBe(true);
    }
  });

  test("has each argument and each example in both", () => {
    for (const { value, text } of positionals) {
      expect(page).toContain(words(text));
      expect(section).toContain(words(text));
      expect(section).toContain(value.placeholder);
    }
    for (const { command: line, text } of examples) {
      expect(page).toContain(words(`${text}: .RS 4 .nf ${line}`));
      expect(section).toContain(words(`# ${text} ${line}`));
    }
  });
});

test.each(HELP_TOPICS)(
  "imgpack help $name: each row is in its man page and in docs/COMMANDS.md",
  ({ name, sections }) => {
    const page = words(read(`man/imgpack-${name}.7`));
    const reference = words(read("docs/COMMANDS.md"));
    for (const { text, rows } of sections) {
      for (const paragraph of text) {
        expect(page).toContain(words(paragraph));
        expect(reference).toContain(words(paragraph));
      }
      for (const row of rows) {
        expect(page).toContain(words(`.TP ${row.term} ${row.text}`));
        expect(reference).toContain(words(`| ${row.term} | ${row.text} |`));
      }
    }
  },
);

/** Flags of other tools that the pages name. */
const OTHERS = ["--global", "--disable-default-registry-endpoint", "--silent", "--fail", "--cacert"];

test.each([...new Set(["ACCESS.md", ...Object.values(PROSE_PAGES).map(link => link.replace(/#.*/, ""))])])(
  "docs/%s names only flags that there are",
  page => {
    const known = new Set([
      "--help",
      "--version",
      ...OTHERS,
      ...commands.flatMap(({ flags }) => flags.map(flag => `--${flag.name}`)),
    ]);
    const named = [...read(`docs/${page}`).matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([flag]) => flag);
    expect([...new Set(named)].filter(flag => !known.has(flag))).toEqual([]);
  },
);
