import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const README = pageText("README.md");

/** A command of a page with what it prints there. */
export interface PageStep {
  readonly command: string;
  readonly output: readonly string[];
}

/** The lines of the block below a heading. */
function blockBelow(heading: string, language: string): readonly string[] {
  const [, section = ""] = README.split(`\n## ${heading}\n`);
  const [, text] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section) ?? [];
  if (text === undefined) throw new Error(`Cannot find the block below "${heading}" in README.md`);
  return text.trim().split("\n");
}

/** The commands below "Install", without their comments. */
export function installCommands(): readonly string[] {
  return blockBelow("Install", "sh").map(line => line.replace(/\s+# .*$/, ""));
}

/** What the comments below "Install" say to remove it. */
export function uninstallCommand(): string {
  const [, command] = /to uninstall: (npm uninstall [^\n]+)/.exec(README) ?? [];
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

/** All commands of the tutorial, in their order. */
export function tutorial(): readonly PageStep[] {
  const blocks = pageText("docs/TUTORIAL.md").matchAll(/```console\n([\s\S]*?)```/g);
  return stepsOf([...blocks].flatMap(([, text = ""]) => text.trim().split("\n")));
}

function stepsOf(lines: readonly string[]): readonly PageStep[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else steps.at(-1)?.output.push(line);
  }
  return steps;
}

function pageText(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), "utf8");
}
