// The docs' test is closed: code that it would neither run nor read is an error.
import { describe, expect, test } from "vitest";
import { needsMark, type Step, stepsOf } from "../../support/docs/block-scripts.ts";
import { allPages, type Block, blocksOf } from "../../support/docs/page-blocks.ts";

const COMMAND = "imgpack frobnicate app.tar";
const fenced = (info: string, text: string, fence = "```"): string => `${fence}${info}\n${text}\n${fence}\n`;

/** What is run of a page with one block. */
async function run(page: string): Promise<readonly Step[]> {
  return (await Promise.all(blocksOf(page).map(stepsOf))).flat();
}

describe("a command in a block", () => {
  test.each([
    ["sh", fenced("sh", COMMAND)],
    ["bash", fenced("bash", COMMAND)],
    ["a longer fence", fenced("sh", COMMAND, "````")],
    ["a fence of tildes", fenced("sh", COMMAND, "~~~")],
    ["console", fenced("console", `$ ${COMMAND}`)],
    ["a job", fenced("yaml", `job:\n  script: ${COMMAND}`)],
    ["a Jenkinsfile", fenced("groovy", `steps { sh '${COMMAND}' }`)],
  ])("of %s is run", async (_, page) => {
    expect((await run(page)).map(({ script }) => script.trim())).toEqual([COMMAND]);
  });

  test.each([
    ["shell", fenced("shell", COMMAND)],
    ["a language of another case", fenced("SH", COMMAND)],
    ["sh with a title", fenced("sh title", COMMAND)],
    ["sh with attributes", fenced("sh {copy}", COMMAND)],
    ["tildes with a title", fenced("sh title", COMMAND, "~~~")],
    ["js that no test names", fenced("js", "push();")],
    ["no language", fenced("", COMMAND)],
    ["no language, after a $", fenced("", `$ ${COMMAND}`)],
    ["text, after a $ and a variable", fenced("text", `$ DEBUG=1 ${COMMAND}`)],
    ["text, with a variable", fenced("text", `  DEBUG=1 sudo ${COMMAND}`)],
    ["text, of any program after a $", fenced("text", "$ frobnicate")],
    ["a Dockerfile", fenced("dockerfile", `RUN ${COMMAND}`)],
    ["console without a $", fenced("console", COMMAND)],
    ["a fence that stays open", `\`\`\`sh\n${COMMAND}\n`],
    ["a fence that a shorter one does not close", `\`\`\`\`sh\n${COMMAND}\n\`\`\`\n`],
    ["a fence in a quote", `> ${fenced("sh", COMMAND)}`],
    ["a fence on the line of a list", `- ${fenced("sh", COMMAND)}`],
    ["HTML", `<pre>${COMMAND}</pre>\n`],
    ["an indented block", `Text:\n\n    ${COMMAND}\n`],
    ["a block after an unknown mark", `<!-- notrun: why -->\n${fenced("sh", COMMAND)}`],
  ])("of %s is an error", async (_, page) => {
    await expect(run(page)).rejects.toThrow(/./);
  });
});

test("a console block has its commands, and what each of them prints", async () => {
  const page = fenced("console", "$ imgpack tags \\\n  registry.lan/app\n1.0\n1.1\n$ imgpack ping registry.lan");
  expect(await run(page)).toEqual([
    { script: "imgpack tags \\\n  registry.lan/app", prints: "1.0\n1.1\n" },
    { script: "imgpack ping registry.lan", prints: "" },
  ]);
});

test("a mark that has no block is an error", () => {
  for (const mark of ["not run: why", 'not run "x": why', "prints", "before: ls", "file: a.txt"])
    expect(() => blocksOf(`<!-- ${mark} -->\nText.\n\n${fenced("sh", COMMAND)}`)).toThrow("in place of a block");
});

test("only a block with commands or code needs a mark", () => {
  const needed = (page: string): readonly boolean[] => blocksOf(page).map(needsMark);
  expect(needed(fenced("sh", "ls") + fenced("console", "$ ls") + fenced("text", COMMAND))).toEqual([true, true, true]);
  expect(needed(fenced("text", "a table") + fenced("json", "{}") + fenced("yaml", "a: b"))).toEqual([
    false,
    false,
    false,
  ]);
});

describe("each block of the pages is run, is read, or says why not", () => {
  const pages = allPages();
  const isOwn = ({ notRun, runBy }: Block): boolean => (notRun ?? runBy) === undefined;
  test.each(pages.filter(({ runBy }) => runBy === undefined))("$path", async ({ blocks }) => {
    for (const block of blocks.filter(isOwn)) await stepsOf(block);
    expect(blocks.filter(block => !isOwn(block) && !needsMark(block)).map(({ line }) => line)).toEqual([]);
  });
});
