import { describe, expect, test, vi } from "vitest";
import type { CommandDefinition } from "../../../src/cli/definitions/command-definition.ts";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { descriptionOf } from "../../../src/cli/definitions/description.ts";
import { longForm } from "../../../src/cli/definitions/usage.ts";
import { helpLines } from "../../../src/cli/help/print-help.ts";
import { HELP_TOPICS } from "../../../src/cli/help/topics/help-topics.ts";
import { main } from "../../../src/cli/main.ts";
import { runCommand } from "../../support/command-line.ts";
import { FakeTerminal } from "../../support/fake-terminal.ts";

/** Words of CONTRIBUTING.md, "Words", that help texts must not contain, each with the word to use. */
const BANNED_WORDS: readonly (readonly [pattern: RegExp, better: string])[] = [
  [/\bgo(es|ing)? on\b|\bgone on\b/i, "resume"],
  [/\bmay pass\b/i, "transient"],
  [/\btr(y|ies|ied|ying) again\b/i, "retry"],
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\bbehind\b/i, "after"],
  [/\bbesides?\b/i, "next to, in addition to"],
  [/\bst(and|ands|ood|anding)\b/i, "is"],
  [/\b(tells?|told|telling)\b/i, "contains, reports"],
  [/\b(hears?|heard)\b/i, "is called with"],
  [/\b(broke|breaks|broken) off\b/i, "interrupted"],
  [/\bwithout it\b/i, "default"],
  [/\b(anew|afresh)\b/i, "start over"],
  [/\b(nobody|whoever|whom|whatever)\b/i, "a noun"],
  [/\b(is|are) said\b/i, "is reported"],
  [/\b(at most )?so many\b/i, "maximum number"],
  [/\bplaces?\b/i, "repository, output, path"],
  [/\bforms?\b/i, "format, style"],
];

const commands = await commandDefinitions();
const all: readonly CommandDefinition[] = commands.flatMap(command => [command, ...command.subcommands]);
const leaves = all.filter(({ subcommands }) => subcommands.length === 0);
const WIDTHS = [40, 80, 120] as const;

function pageOf(words: readonly string[], width = 80): readonly string[] {
  const lines = helpLines(words, commands, { width, isStyled: false });
  if (lines === undefined) throw new Error(`no page for ${words.join(" ")}`);
  return lines;
}

/** All pages: of imgpack itself, of each command, of each topic. */
const PAGES: readonly string[] = ["", ...all.map(({ name }) => name), ...HELP_TOPICS.map(({ name }) => name)];

function wordsOf(page: string): readonly string[] {
  return page === "" ? [] : page.split(" ");
}

/** A word of an example stays whole, so that it can be copied. */
function isBreakable(line: string): boolean {
  return !/^ {2,4}[^ ]+(?: \\)?$/.test(line);
}

describe.each(PAGES)('the page of help "%s"', page => {
  test.each(WIDTHS)("has no line that is longer than a terminal of %i columns, and no space at an end", width => {
    const lines = pageOf(wordsOf(page), width);
    expect(lines.filter(line => line.length > width || line.endsWith(" ")).filter(isBreakable)).toEqual([]);
  });

  test("is in plain words", () => {
    const text = pageOf(wordsOf(page), 120).join("\n");
    const found = BANNED_WORDS.flatMap(([pattern, better]) => {
      const [word] = pattern.exec(text) ?? [];
      return word === undefined ? [] : [`${word} (use: ${better})`];
    });
    expect(found).toEqual([]);
  });
});

describe.each(leaves.map(command => ({ name: command.name, command })))("imgpack $name --help", ({ command }) => {
  const { name, flags, positionals, examples } = command;

  test("shows each flag and each argument once", () => {
    const lines = pageOf(wordsOf(name), 120);
    for (const flag of flags) {
      const words = longForm(flag);
      const names = flag.alias === undefined ? `      ${words}` : `  -${flag.alias}, ${words}`;
      const shown = lines.filter(line => line === names || line.startsWith(`${names}  `));
      expect(shown, words).toHaveLength(1);
    }
    for (const { value } of positionals) {
      expect(
        lines.filter(line => line.startsWith(`  ${value.placeholder}`)),
        value.placeholder,
      ).toHaveLength(1);
    }
  });

  test("states the default of each flag that takes a value and may be absent, and describes the others", () => {
    const silent = flags.filter(({ value, isRequired, text }) =>
      value === undefined || isRequired ? text === "" : !/\(default[^()]*\)$/.test(text),
    );
    expect(silent.map(flag => flag.name)).toEqual([]);
  });

  test("marks what is required, and what may be given several times", () => {
    for (const flag of flags) {
      expect(descriptionOf(flag).includes("required"), flag.name).toBe(flag.isRequired);
      expect(descriptionOf(flag).includes("repeatable"), flag.name).toBe(flag.isRepeatable);
    }
  });

  test("has two or three examples", () => {
    expect(examples.length).toBeGreaterThanOrEqual(2);
    expect(examples.length).toBeLessThanOrEqual(3);
    for (const { text } of examples) expect(text).not.toBe("");
  });
});

describe("imgpack --help", () => {
  test("lists each command on one line of 80 columns", () => {
    const lines = pageOf([]);
    for (const { name, summary } of commands) {
      expect(lines).toContain(`  ${name.padEnd(13)}${summary}`);
    }
  });
});

describe("main() prints help", () => {
  test.each([
    [["push", "--help"], ["push"]],
    [["push", "a.tar", "-h"], ["push"]],
    [["help", "push"], ["push"]],
    [
      ["hub", "search", "--help"],
      ["hub", "search"],
    ],
    [
      ["help", "hub", "search"],
      ["hub", "search"],
    ],
    [["hub", "-h"], ["hub"]],
    [["--help"], []],
    [["-h"], []],
    [["help"], []],
    [["help", "help"], ["help"]],
    [["help", "environment"], ["environment"]],
    [["help", "exit-codes"], ["exit-codes"]],
    [["help", "formats"], ["formats"]],
  ])("on stdout for %j", async (words, page) => {
    const stdout = `${pageOf(page).join("\n")}\n`;
    expect(await runCommand(...words)).toEqual({ exitCode: 0, stdout, stderr: "" });
  });

  test("on stderr without a command, with exit code 2", async () => {
    const { exitCode, stdout, stderr } = await runCommand();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr.startsWith(pageOf([]).join("\n"))).toBe(true);
    expect(stderr).toMatch(/\n\nCannot run: no command named, expected one of these\n.*\n$/);
  });

  test.each([[["frobnicate", "--help"]], [["help", "frobnicate"]]])(
    "for no command that there is not: %j",
    async words => {
      const { exitCode, stdout, stderr } = await runCommand(...words);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(/^Cannot run "frobnicate": unknown command/);
    },
  );

  test("but says what was meant, as without help", async () => {
    const { stderr } = await runCommand("load");
    expect(stderr).toMatch(/Did you mean "imgpack push FILE"/);
    for (const words of [
      ["help", "load"],
      ["load", "-h"],
    ]) {
      expect(await runCommand(...words)).toEqual({ exitCode: 2, stdout: "", stderr });
    }
  });

  test("names the commands of hub for one that there is not", async () => {
    const { exitCode, stderr } = await runCommand("help", "hub", "frobnicate");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^Cannot run hub: unknown command "frobnicate"/);
  });

  test("as wide as the terminal, with bold headings, which NO_COLOR turns off", async () => {
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("TERM", "xterm");
    const show = async (): Promise<FakeTerminal> => {
      const terminal = new FakeTerminal(100, 400);
      const stdout = terminal as unknown as NodeJS.WriteStream;
      expect(await main(["push", "--help"], { stdout, stderr: process.stderr })).toBe(0);
      return terminal;
    };
    const bold = await show();
    expect(bold.shown).toEqual(pageOf(["push"], 100));
    expect(bold.colours.slice(0, 2)).toEqual(["1", "22"]);
    vi.stubEnv("NO_COLOR", "1");
    const plain = await show();
    expect(plain.shown).toEqual(bold.shown);
    expect(plain.colours).toEqual([]);
    vi.unstubAllEnvs();
  });
});
