import type { CommandModule, Options, PositionalOptions } from "yargs";
import { COMMAND_NAMES, type CommandName, loadCommand } from "../load-command.ts";
import { builderNotesOf } from "./builder-notes.ts";
import {
  type CommandDefinition,
  type CommandGroup,
  FLAG_GROUPS,
  type FlagDefinition,
  type PositionalDefinition,
} from "./command-definition.ts";
import { valueDefinition } from "./value-definitions.ts";

/** The group of each command, in the order of the help. */
const GROUPS: Readonly<Record<CommandName, CommandGroup>> = {
  push: "Move images",
  pull: "Move images",
  copy: "Move images",
  convert: "Move images",
  import: "Move images",
  inspect: "Look inside",
  verify: "Look inside",
  doctor: "Look inside",
  tags: "Registries",
  latest: "Registries",
  catalog: "Registries",
  exists: "Registries",
  digest: "Registries",
  manifest: "Registries",
  config: "Registries",
  blob: "Registries",
  referrers: "Registries",
  ping: "Registries",
  tag: "Registries",
  delete: "Registries",
  login: "Registries",
  logout: "Registries",
  serve: "Registries",
  lock: "Bundles",
  mirrors: "Bundles",
  hub: "Old registries",
  completion: "Other",
  help: "Other",
};

/**
 * The whole command line, in the order of the help. It is collected from the builders that also read command lines.
 *
 * @throws InternalError for a flag or an argument whose value is in no table.
 */
export async function commandDefinitions(): Promise<readonly CommandDefinition[]> {
  // No handler is called.
  const context = { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal };
  const all = COMMAND_NAMES.map(async name => definitionOf(await loadCommand(name, context), "", GROUPS[name]));
  return await Promise.all(all);
}

function definitionOf(module: CommandModule, parent: string, group: CommandGroup): CommandDefinition {
  const notes = builderNotesOf(module);
  const [word = "", ...places] = String(module.command).split(" ");
  const name = `${parent}${word}`;
  const isOfSubcommands = (notes?.commands ?? []).length > 0;
  return {
    name,
    group,
    summary: typeof module.describe === "string" ? module.describe : "",
    positionals: isOfSubcommands
      ? []
      : places.map(written => positionalOf(name, written, notes?.positionals ?? new Map())),
    flags: [...(notes?.flags ?? [])].map(([flag, options]) => flagOf(name, flag, options)).sort(byGroup),
    examples: (notes?.examples ?? []).map(([line, text]) => ({ command: line.replace("$0", "imgpack"), text })),
    subcommands: (notes?.commands ?? []).map(command => definitionOf(command, `${name} `, group)),
  };
}

/** @param written as in `<input> [more..]`. */
function positionalOf(
  command: string,
  written: string,
  positionals: ReadonlyMap<string, PositionalOptions>,
): PositionalDefinition {
  const name = written.replace(/[<>[\].]/g, "");
  const { describe = "", choices } = positionals.get(name) ?? {};
  return {
    name,
    isRequired: written.startsWith("<"),
    isList: written.includes(".."),
    text: describe,
    value: valueDefinition("argument", command, name, textsOf(choices)),
  };
}

function flagOf(command: string, name: string, options: Options): FlagDefinition {
  const { alias, array, choices, demandOption, describe = "", group, type } = options;
  return {
    name,
    alias: [alias ?? []].flat()[0],
    group: FLAG_GROUPS.find(known => known === group) ?? FLAG_GROUPS[0],
    value: type === "boolean" ? undefined : valueDefinition("flag", command, name, textsOf(choices)),
    isRepeatable: array === true,
    isRequired: demandOption === true,
    text: describe,
  };
}

function textsOf(choices: Options["choices"]): readonly string[] | undefined {
  return choices?.map(String);
}

function byGroup(one: FlagDefinition, other: FlagDefinition): number {
  return FLAG_GROUPS.indexOf(one.group) - FLAG_GROUPS.indexOf(other.group);
}
