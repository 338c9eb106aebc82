import { type Block, readPage } from "../support/docs/page-blocks.ts";

const README = readPage("README.md");

/** A command of a page with what it prints there. */
export interface PageStep {
  readonly command: string;
  readonly output: readonly string[];
}

/** The lines of the block below a heading. */
function blockBelow(heading: string, language: string): readonly string[] {
  const block = README.blocks.find(each => each.heading === heading && each.language === language);
  if (block === undefined) throw new Error(`Cannot find the block below "${heading}" in README.md`);
  return block.text.trim().split("\n");
}

/** The commands below "Install", without their comments. */
export function installCommands(): readonly string[] {
  return blockBelow("Install", "sh").map(line => line.replace(/\s+# .*$/, ""));
}

/** What the comments below "Install" say to remove it. */
export function uninstallCommand(): string {
  const [, command] = /to uninstall: (npm uninstall [^\n]+)/.exec(README.text) ?? [];
  if (command === undefined) throw new Error("Cannot find how to uninstall the package in README.md");
  return command;
}

/** The program below "Library". */
export function libraryProgram(): string {
  return blockBelow("Library", "js").join("\n");
}

export function quickStart(): readonly PageStep[] {
  return stepsOf(blockBelow("Quick start", "console"));
}

/** The commands of blocks, in their order. */
export function blockSteps(blocks: readonly Block[]): readonly PageStep[] {
  return stepsOf(blocks.flatMap(({ text }) => text.trim().split("\n")));
}

function stepsOf(lines: readonly string[]): readonly PageStep[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else steps.at(-1)?.output.push(line);
  }
  return steps;
}
