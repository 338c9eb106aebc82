import type { CommandDefinition, FlagDefinition, ValueDefinition } from "../../definitions/command-definition.ts";

/** A command line under the cursor, without the name of the program. */
export interface TypedLine {
  /** Quotes are removed. The word at `at` ends at the cursor. */
  readonly words: readonly string[];
  /** Which word is completed. It may be missing in `words`: then it is empty. */
  readonly at: number;
}

/** What belongs at the cursor. */
export type Slot =
  | { readonly kind: "nothing" }
  | { readonly kind: "command"; readonly commands: readonly CommandDefinition[] }
  | { readonly kind: "flag"; readonly flags: readonly FlagDefinition[] }
  | {
      readonly kind: "value";
      /** Of the flag or the argument. */
      readonly name: string;
      readonly value: ValueDefinition;
      /** Comes before the value in the same word: `--output=`. */
      readonly prefix: string;
      readonly typed: string;
    };

export interface ReadLine {
  readonly command: CommandDefinition | undefined;
  readonly slot: Slot;
  /** The flags of the whole line by name, also those after the cursor. A switch has no values. */
  readonly given: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: Slot = { kind: "nothing" };

/** Finds out what belongs at the cursor. What is wrong with the line is left to the command. */
export function readLine({ words, at }: TypedLine, commands: readonly CommandDefinition[]): ReadLine {
  const before = new LineReader(commands);
  for (const word of words.slice(0, at)) before.read(word);
  const slot = before.slotOf(words[at] ?? "");
  const after = before.afterCursor(slot);
  for (const word of words.slice(at + 1)) after.read(word);
  return { command: before.command, slot, given: before.given };
}

class LineReader {
  command: CommandDefinition | undefined;
  readonly given: Map<string, string[]>;
  readonly #commands: readonly CommandDefinition[];
  /** Arguments so far. */
  #count = 0;
  /** Its value comes next. */
  #open: FlagDefinition | undefined;
  #hasDashes = false;
  /** A word that should be a command is none. */
  #isLost = false;

  constructor(commands: readonly CommandDefinition[], given = new Map<string, string[]>()) {
    this.#commands = commands;
    this.given = given;
  }

  /** Reads what is after the cursor: only its flags count. */
  afterCursor(slot: Slot): LineReader {
    const reader = new LineReader(slot.kind === "command" ? slot.commands : this.#commands, this.given);
    reader.command = this.command;
    reader.#hasDashes = this.#hasDashes;
    return reader;
  }

  read(word: string): void {
    if (this.#open !== undefined) {
      this.#give(this.#open, word);
      this.#open = undefined;
    } else if (this.#hasDashes || !word.startsWith("-") || word === "-") this.#readArgument(word);
    else if (word === "--") this.#hasDashes = true;
    else this.#readFlag(word);
  }

  slotOf(typed: string): Slot {
    if (this.#isLost) return NOTHING;
    if (this.#open !== undefined) return slotOfFlag(this.#open, "", typed);
    if (!this.#hasDashes && typed.startsWith("-")) return this.#slotOfDashes(typed);
    const commands = this.#nextCommands();
    if (commands.length > 0) return { kind: "command", commands };
    const { positionals } = this.command ?? { positionals: [] };
    const last = positionals.at(-1);
    const found = positionals[this.#count] ?? (last?.isList ? last : undefined);
    return found === undefined ? NOTHING : { kind: "value", name: found.name, value: found.value, prefix: "", typed };
  }

  #slotOfDashes(typed: string): Slot {
    const equals = typed.indexOf("=");
    if (equals === -1) return { kind: "flag", flags: this.command?.flags ?? [] };
    const flag = this.#flagOf(typed.slice(0, equals));
    return flag === undefined ? NOTHING : slotOfFlag(flag, typed.slice(0, equals + 1), typed.slice(equals + 1));
  }

  #readArgument(word: string): void {
    const commands = this.#nextCommands();
    if (commands.length === 0) {
      this.#count += 1;
      return;
    }
    const found = commands.find(({ name }) => lastWord(name) === word);
    if (found === undefined) this.#isLost = true;
    else this.command = found;
  }

  #readFlag(word: string): void {
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const flag = this.#flagOf(equals === -1 ? word : word.slice(0, equals));
    if (flag === undefined) return;
    if (equals !== -1) this.#give(flag, word.slice(equals + 1));
    else if (flag.value === undefined) this.#give(flag);
    else this.#open = flag;
  }

  #give({ name }: FlagDefinition, ...values: readonly string[]): void {
    this.given.set(name, [...(this.given.get(name) ?? []), ...values]);
  }

  #flagOf(spelled: string): FlagDefinition | undefined {
    return this.command?.flags.find(({ name, alias }) => spelled === `--${name}` || spelled === `-${alias}`);
  }

  #nextCommands(): readonly CommandDefinition[] {
    return this.command === undefined ? this.#commands : this.command.subcommands;
  }
}

function slotOfFlag({ name, value }: FlagDefinition, prefix: string, typed: string): Slot {
  return value === undefined ? NOTHING : { kind: "value", name, value, prefix, typed };
}

/** As a command is typed after its parent. */
export function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}
