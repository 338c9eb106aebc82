import type { CommandModule, Options } from "yargs";
import { type BuilderNotes, builderNotesOf } from "../definitions/builder-notes.ts";

/** A flag of a command, as `parseWords` reads it. */
export interface FlagWords {
  /** The name, and its alias. */
  readonly names: readonly string[];
  readonly kind: "boolean" | "string" | "number" | "choice" | "list";
  /** Allowed values of a choice. */
  readonly choices: readonly string[];
  readonly isRequired: boolean;
}

export interface PositionalWords {
  readonly name: string;
  readonly isRequired: boolean;
  /** Takes all words that are left; only the last one does. */
  readonly isList: boolean;
}

export interface WordDefinitions {
  /** By spelling: `--output`, `-o`. */
  readonly flags: ReadonlyMap<string, FlagWords>;
  readonly positionals: readonly PositionalWords[];
}

/** What of a definition decides how words are read, or nothing at all. Anything else is left to yargs. */
const FLAG_KEYS: ReadonlySet<string> = new Set(
  "type array requiresArg nargs alias choices demandOption describe group".split(" "),
);
const POSITIONAL_KEYS: ReadonlySet<string> = new Set(["type", "array", "describe"]);

/**
 * How the words of a command are read.
 *
 * @returns undefined if anything in it is left to yargs.
 */
export function definitionsOf<T>(module: CommandModule<object, T>): WordDefinitions | undefined {
  const { command } = module;
  const notes = builderNotesOf(module);
  if (typeof command !== "string" || notes === undefined || notes.commands.length > 0) return undefined;
  const positionals = positionalsOf(command, notes);
  const flags = new Map<string, FlagWords>();
  for (const [name, options] of notes.flags) {
    const flag = flagOf(name, options);
    if (flag === undefined) return undefined;
    for (const spelled of flag.names) flags.set(spelled.length === 1 ? `-${spelled}` : `--${spelled}`, flag);
  }
  return positionals === undefined ? undefined : { flags, positionals };
}

/** Reads the words after the name of a command, such as `<input> [more..]`. */
function positionalsOf(command: string, notes: BuilderNotes): readonly PositionalWords[] | undefined {
  const found: PositionalWords[] = [];
  for (const word of command.split(" ").slice(1)) {
    const [, open, name = "", dots] = /^([<[])([a-z]+)(\.\.)?[>\]]$/.exec(word) ?? [];
    const options = notes.positionals.get(name);
    if (options === undefined || options.type !== "string") return undefined;
    if (Object.keys(options).some(key => !POSITIONAL_KEYS.has(key))) return undefined;
    const isList = dots !== undefined;
    if (isList !== "array" in options || found.some(other => other.isList)) return undefined;
    found.push({ name, isRequired: open === "<", isList });
  }
  return notes.positionals.size === found.length ? found : undefined;
}

function flagOf(name: string, options: Options): FlagWords | undefined {
  const { type, array, nargs, alias = [], choices, demandOption } = options;
  if (Object.keys(options).some(key => !FLAG_KEYS.has(key))) return undefined;
  const names = [name, ...[alias].flat()];
  const shared = { names, choices: [], isRequired: demandOption === true };
  if (array === true) {
    // Without it, a list takes all words up to the next flag: also the files after it.
    const isSingle = nargs === 1;
    return type === "string" && isSingle && choices === undefined ? { ...shared, kind: "list" } : undefined;
  }
  if (nargs !== undefined) return undefined;
  if (choices !== undefined) {
    const isText = choices.every(choice => typeof choice === "string" && /^[a-z]/.test(choice));
    return type === undefined && isText ? { ...shared, kind: "choice", choices: choices.map(String) } : undefined;
  }
  return type === "boolean" || type === "string" || type === "number" ? { ...shared, kind: type } : undefined;
}
