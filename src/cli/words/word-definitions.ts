import type { Argv, CommandModule, Options, PositionalOptions } from "yargs";

/** A flag of a command, as `parseWords` reads it. */
export interface FlagDefinition {
  /** The name, and its alias. */
  readonly names: readonly string[];
  readonly kind: "boolean" | "string" | "number" | "choice" | "list";
  /** Allowed values of a choice. */
  readonly choices: readonly string[];
  readonly isRequired: boolean;
}

export interface PositionalDefinition {
  readonly name: string;
  readonly isRequired: boolean;
  /** Takes all words that are left; only the last one does. */
  readonly isList: boolean;
}

export interface WordDefinitions {
  /** By spelling: `--output`, `-o`. */
  readonly flags: ReadonlyMap<string, FlagDefinition>;
  readonly positionals: readonly PositionalDefinition[];
}

/** What of a definition decides how words are read, or nothing at all. Anything else is left to yargs. */
const FLAG_KEYS: ReadonlySet<string> = new Set(
  "type array requiresArg nargs alias choices demandOption describe".split(" "),
);
const POSITIONAL_KEYS: ReadonlySet<string> = new Set(["type", "array", "describe"]);

/**
 * What the builder of a command defines, by calling it with a parser that only takes notes: yargs itself takes 40 ms to load
 * and to read a command line.
 *
 * @returns undefined if anything in it is left to yargs.
 */
export function definitionsOf<T>({ command, builder }: CommandModule<object, T>): WordDefinitions | undefined {
  if (typeof command !== "string" || typeof builder !== "function") return undefined;
  const notes = new Notes();
  void builder(notes as unknown as Argv);
  if (notes.hasCommands) return undefined;
  const positionals = positionalsOf(command, notes);
  const flags = new Map<string, FlagDefinition>();
  for (const [name, options] of notes.flags) {
    const flag = flagOf(name, options);
    if (flag === undefined) return undefined;
    for (const spelled of flag.names) flags.set(spelled.length === 1 ? `-${spelled}` : `--${spelled}`, flag);
  }
  return positionals === undefined ? undefined : { flags, positionals };
}

/** The part of yargs that builders use. */
class Notes {
  readonly flags = new Map<string, Options>();
  readonly positionals = new Map<string, PositionalOptions>();
  readonly singles = new Set<string>();
  hasCommands = false;

  command(): this {
    this.hasCommands = true;
    return this;
  }

  option(name: string, options: Options): this {
    this.flags.set(name, options);
    return this;
  }

  positional(name: string, options: PositionalOptions): this {
    this.positionals.set(name, options);
    return this;
  }

  nargs(counts: Readonly<Record<string, number>>): this {
    for (const [name, count] of Object.entries(counts)) if (count === 1) this.singles.add(name);
    return this;
  }

  example(): this {
    return this;
  }
}

/** Reads the words after the name of a command, such as `<input> [more..]`. */
function positionalsOf(command: string, notes: Notes): readonly PositionalDefinition[] | undefined {
  const found: PositionalDefinition[] = [];
  for (const word of command.split(" ").slice(1)) {
    const [, open, name = "", dots] = /^([<[])([a-z]+)(\.\.)?[>\]]$/.exec(word) ?? [];
    const options = notes.positionals.get(name);
    if (options === undefined || options.type !== "string") return undefined;
    if (Object.keys(options).some(key => !POSITIONAL_KEYS.has(key))) return undefined;
    const isList = dots !== undefined;
    if (isList !== "array" in options || found.some(other => other.isList)) return undefined;
    found.push({ name, isRequired: open === "<", isList });
  }
  const isComplete = notes.positionals.size === found.length;
  return isComplete && [...notes.singles].every(name => notes.positionals.has(name)) ? found : undefined;
}

function flagOf(name: string, options: Options): FlagDefinition | undefined {
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
