import { describe, expect, test } from "vitest";
import yargs from "yargs";
import { COMMAND_NAMES, loadCommands } from "../../../src/cli/load-command.ts";

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

interface Help {
  readonly describe: string;
  /** Positional arguments and flags. */
  readonly entries: ReadonlyMap<string, string>;
}

const HUB_COMMANDS = ["login", "user", "repo", "images", "token", "auth", "search"].map(name => `hub ${name}`);

/** What `imgpack ...words` prints as help, one line per entry. */
async function helpText(...words: readonly string[]): Promise<string> {
  const context = { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal };
  const parser = yargs([]).scriptName("imgpack").exitProcess(false).detectLocale(false);
  parser.command([...(await loadCommands(context))]);
  return await new Promise<string>((resolve, reject) => {
    void parser.wrap(null).parse(words, {}, (error, _argv, output) => {
      if (error) reject(error);
      else resolve(output);
    });
  });
}

async function helpOf(command: string): Promise<Help> {
  const text = await helpText(...command.split(" "), "--help");
  const [, describe = "", ...blocks] = text.split("\n\n");
  const lines = blocks.filter(block => /^(Positionals|Options):/.test(block)).flatMap(block => block.split("\n"));
  // A name, two spaces or more, a description, and what yargs adds in brackets.
  const rows = lines.flatMap(line => /^ {2,}(?:-\w, )?(-{0,2}[\w-]+)(.*)$/.exec(line)?.slice(1, 3) ?? []);
  const entries = new Map<string, string>();
  for (let row = 0; row < rows.length; row += 2) entries.set(rows[row] ?? "", (rows[row + 1] ?? "").trim());
  return { describe, entries };
}

describe.each([...COMMAND_NAMES, ...HUB_COMMANDS])("imgpack %s --help", command => {
  test("describes the command, and each of its arguments and flags", async () => {
    const { describe, entries } = await helpOf(command);
    expect(describe).toMatch(/^[a-z]/);
    expect([...entries.keys()]).toContain("--help");
    const undescribed = [...entries].filter(([, text]) => /^(, -\w|\[|$)/.test(text));
    expect(undescribed).toEqual([]);
  });

  test("states the default of each flag that takes a value and may be absent", async () => {
    const { entries } = await helpOf(command);
    const silent = [...entries].filter(
      ([name, text]) => name.startsWith("--") && !/\[(?:boolean|required)\]/.test(text) && !/\bdefault\b/.test(text),
    );
    expect(silent).toEqual([]);
  });

  test("is in plain words", async () => {
    const { describe, entries } = await helpOf(command);
    const texts = [describe, ...entries.values()];
    const found = texts.flatMap(text =>
      BANNED_WORDS.flatMap(([pattern, better]) => (pattern.test(text) ? [`${text} (use: ${better})`] : [])),
    );
    expect(found).toEqual([]);
  });
});

test("imgpack --help lists the commands of COMMAND_NAMES, each with a description", async () => {
  const text = await helpText("--help");
  const listed = [...text.matchAll(/^ {2}imgpack (\w+)\b.*? {2,}\w/gm)].map(match => match[1]);
  expect(listed).toEqual([...COMMAND_NAMES]);
});
