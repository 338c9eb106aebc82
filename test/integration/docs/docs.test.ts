// README.md and each page of docs/: every command in a fenced block is run, or the page's source says why not.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CI_VARIABLES, scriptsOf } from "../../support/docs/block-scripts.ts";
import { allPages, type Block, missingLine, tableCommands } from "../../support/docs/page-blocks.ts";
import { describeWith } from "../peers/describe-with.ts";
import { isCalled, PageRun } from "./page-run.ts";
import { createSite, type Site } from "./site.ts";
import { STAND_INS } from "./stand-ins.ts";

const DAEMONS = ["docker", "podman", "ctr"];
const PROGRAMS = ["imgpack", ...DAEMONS, ...Object.keys(STAND_INS), "skopeo", "crane", "kubectl", "openssl", "curl"];
/** Pages whose tables put commands of another tool next to ours: both are run. */
const MIGRATION = /^docs\/how-to\/from-/;
/** Of the page that is made from the help, whose source has no comments: why not, by a part of the line. */
const NOT_RUN: ReadonlyMap<string, string> = new Map([
  ["imgpack delete registry.lan:5000/team/app:1.3", "asks at a terminal; test/unit/verbs/delete.test.ts"],
  ["imgpack login registry.lan:5000", "asks at a terminal; test/integration/login.test.ts"],
  ["--key desk.pub", "needs signed volumes; test/fault/signed-volumes.test.ts"],
  ["Invoke-Expression", "PowerShell"],
]);
const SHELLS = ["sh", "bash", "console"];

const pages = allPages();
const only = process.env["DOCS_PAGE"] ?? "";
const ownRun = pages.filter(({ path, runBy }) => runBy === undefined && path.includes(only));
const needed = new Set(
  DAEMONS.filter(name =>
    ownRun.some(
      ({ path, text, blocks }) =>
        blocks.some(block => block.notRun === undefined && block.text.split("\n").some(line => isCalled(name, line))) ||
        (MIGRATION.test(path) && tableCommands(text, [name]).length > 0),
    ),
  ),
);

describeWith(["openssl", "bash"], "the commands of the docs", () => {
  let site: Site;
  beforeAll(async () => {
    site = await createSite(needed);
  });
  afterAll(async () => await site?.close());

  describe.each(ownRun)("$path", page => {
    let run: PageRun | undefined;
    /** Output of the block before. */
    let output = "";
    afterAll(async () => await run?.close());

    async function runScript(script: string, notRun?: ReadonlyMap<string, string>): Promise<void> {
      run ??= await PageRun.start(site);
      const ran = await run.runScript(script, CI_VARIABLES, notRun);
      for (const line of ran.skipped) console.warn(`SKIPPED ${page.path}: ${line}`);
      output = ran.output;
      expect(ran.code, `${script}\n${output}`).toBe(0);
    }

    test("has no block, or each is a test", () => expect(page.text).toMatch(/^# /));
    test.each(page.blocks.map(block => ({ block, title: `line ${block.line}, ${block.heading}` })))(
      "$title",
      async ({ block }) => {
        if (block.notRun !== undefined) {
          console.warn(`SKIPPED ${page.path}:${block.line}: ${block.notRun}`);
          return;
        }
        if (block.before.length > 0) await runScript(block.before.join("\n"));
        if (block.file !== undefined) {
          await scriptsOf(block);
          run ??= await PageRun.start(site);
          await run.writeFile(block.file, block.text);
        } else if (block.isOutput) {
          expect(missingLine(block.text, output), output).toBeUndefined();
        } else {
          if (!SHELLS.includes(block.language))
            expect(commandsIn(block), "commands in a block that is not sh").toEqual([]);
          for (const script of await scriptsOf(block))
            await runScript(script, page.path === "docs/COMMANDS.md" ? NOT_RUN : block.linesNotRun);
        }
      },
    );

    if (MIGRATION.test(page.path)) {
      test.each(tableCommands(page.text, PROGRAMS))("%s", async command => await runScript(command));
    }
  });
});

describe("pages and blocks that another test runs", () => {
  const blocks = pages.flatMap(({ path, blocks }) =>
    blocks.map(({ runBy, line }) => ({ path: `${path}:${line}`, runBy })),
  );
  test.each([...pages, ...blocks].filter(({ runBy }) => runBy !== undefined))("$path", ({ path, runBy }) => {
    const file = new URL(`../../../${runBy}`, import.meta.url);
    expect(existsSync(file), runBy).toBe(true);
    // It names each block that it does not run.
    expect(readFileSync(file, "utf8")).toContain(path.replace(/:.*/, ""));
  });
});

/** Lines that look like commands, where no command should be. */
function commandsIn({ language, text }: Block): readonly string[] {
  if (language !== "text" && language !== "") return [];
  return text.split("\n").filter(line => /^(\$ )?[\w-]+ /.test(line) && PROGRAMS.includes(line.split(" ", 1)[0] ?? ""));
}
