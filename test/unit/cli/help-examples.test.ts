// The examples of the help are command lines that the real parser takes.
import { describe, expect, test } from "vitest";
import type { CommandModule } from "yargs";
import { builderNotesOf } from "../../../src/cli/definitions/builder-notes.ts";
import type { CommandDefinition } from "../../../src/cli/definitions/command-definition.ts";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { loadCommands } from "../../../src/cli/load-command.ts";
import { runWithYargs } from "../../../src/cli/words/run-with-yargs.ts";
import { definitionsOf } from "../../../src/cli/words/word-definitions.ts";

const context = { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal };
const modules = await loadCommands(context);
const definitions = await commandDefinitions();
const all: readonly CommandDefinition[] = definitions.flatMap(command => [command, ...command.subcommands]);
const examples = all.flatMap(({ name, examples: own }) => own.map(({ command }) => ({ name, command })));

/** The words after `imgpack`, as a shell without variables takes them, up to a pipe or a redirection. */
function shellWords(line: string): readonly string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^ '"])+/g) ?? [];
  const plain = words.map(word => word.replace(/['"]/g, ""));
  const start = plain.indexOf("imgpack");
  const end = words.findIndex((word, at) => at > start && /^(?:[|<>]|&&|\))/.test(word));
  return plain.slice(start + 1, end === -1 ? undefined : end);
}

/** Handlers that only note that they were called, with what. */
function recording(onCall: (name: string) => void): readonly CommandModule[] {
  const recorded = (module: CommandModule, parent: string): CommandModule => {
    const name = `${parent}${String(module.command).split(" ")[0]}`;
    const subcommands = builderNotesOf(module)?.commands ?? [];
    const own = subcommands.map(command => recorded(command, `${name} `));
    const builder: CommandModule["builder"] = own.length === 0 ? (module.builder ?? {}) : parser => parser.command(own);
    return { ...module, builder, handler: () => onCall(name) };
  };
  return modules.map(module => recorded(module, ""));
}

describe("each example of the help", () => {
  test.each(examples)("$command", async ({ name, command }) => {
    const called: string[] = [];
    // In a shell, eval runs what imgpack prints.
    const line = command.replace(/^eval "\$\((.*)\)"$/, "$1");
    await runWithYargs(
      shellWords(line),
      recording(each => called.push(each)),
      context,
    );
    expect(called).toEqual([name]);
  });
});

describe("what reads a command line, and what the help says, is the same", () => {
  const read = modules.flatMap(module => {
    const words = definitionsOf(module);
    const name = String(module.command).split(" ")[0];
    const command = definitions.find(each => each.name === name);
    return words === undefined || command === undefined ? [] : [{ name, words, command }];
  });

  test("for nearly all commands", () => {
    expect(definitions.map(({ name }) => name).filter(name => !read.some(each => each.name === name))).toEqual([
      "hub",
      "completion",
    ]);
  });

  test.each(read)("imgpack $name", ({ words, command }) => {
    const byParser = [...new Set(words.flags.values())].map(({ names, kind, choices, isRequired }) => ({
      names,
      isSwitch: kind === "boolean",
      isRepeatable: kind === "list",
      choices: kind === "choice" ? choices : undefined,
      isRequired,
    }));
    const byHelp = command.flags.map(({ name, alias, value, isRepeatable, isRequired }) => ({
      names: [name, ...(alias === undefined ? [] : [alias])],
      isSwitch: value === undefined,
      isRepeatable,
      choices: value?.kind === "choice" ? value.choices : undefined,
      isRequired,
    }));
    const byName = (
      one: { readonly names: readonly string[] },
      other: { readonly names: readonly string[] },
    ): number => ((one.names[0] ?? "") < (other.names[0] ?? "") ? -1 : 1);
    expect(byHelp.sort(byName)).toEqual(byParser.sort(byName));
    const places = command.positionals.map(({ name, isRequired, isList }) => ({ name, isRequired, isList }));
    expect(places).toEqual(words.positionals);
  });
});
