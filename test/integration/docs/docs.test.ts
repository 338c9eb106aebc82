// README.md and each page of docs/: every command in a fenced block is run, or the page's source says why not.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CI_VARIABLES, needsMark, stepsOf } from "../../support/docs/block-scripts.ts";
import { allPages, type Block, missingLine, tableCommands } from "../../support/docs/page-blocks.ts";
import { describeWith } from "../peers/describe-with.ts";
import { isCalled, PageRun } from "./page-run.ts";
import { createSite, type Site } from "./site.ts";
import { STAND_INS } from "./stand-ins.ts";

const DAEMONS = ["docker", "podman", "ctr"];
const PROGRAMS = ["imgpack", ...DAEMONS, ...Object.keys(STAND_INS), "skopeo", "crane", "kubectl", "openssl", "curl"];
/** Pages whose tables put commands of another tool next to ours: both are run. */
const MIGRATION = /^docs\/how-to\/from-/;

const pages = allPages();
const only = process.env["DOCS_PAGE"] ?? "";
const ownRun = pages.filter(({ path, runBy }) => runBy === undefined && path.includes(only));
/** A block that this test runs. */
const isOwn = ({ notRun, runBy }: Block): boolean => (notRun ?? runBy) === undefined;
const needed = new Set(
  DAEMONS.filter(name =>
    ownRun.some(
      ({ path, text, blocks }) =>
        blocks.some(block => isOwn(block) && block.text.split("\n").some(line => isCalled(name, line))) ||
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
        const why = block.notRun ?? block.runBy;
        if (why !== undefined) {
          expect(needsMark(block), "the mark is not needed: the block has nothing to run").toBe(true);
          console.warn(`SKIPPED ${page.path}:${block.line}: ${why}`);
          return;
        }
        if (block.before.length > 0) await runScript(block.before.join("\n"));
        if (block.file !== undefined) {
          run ??= await PageRun.start(site);
          await run.writeFile(block.file, block.text);
        } else if (block.isOutput) expect(missingLine(block.text, output), output).toBeUndefined();
        for (const { script, prints } of await stepsOf(block)) {
          await runScript(script, block.linesNotRun);
          if (prints !== undefined) expect(missingLine(prints, output), output).toBeUndefined();
        }
        for (const part of block.linesNotRun.keys())
          expect(block.text, "the mark is not needed: no line has its text").toContain(part);
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
