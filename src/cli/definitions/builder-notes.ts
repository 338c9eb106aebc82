import type { Argv, CommandModule, Options, PositionalOptions } from "yargs";

/** What the builder of a command defines. */
export interface BuilderNotes {
  readonly flags: ReadonlyMap<string, Options>;
  readonly positionals: ReadonlyMap<string, PositionalOptions>;
  readonly commands: readonly CommandModule[];
  /** Command lines that begin with `$0`, and what they do. */
  readonly examples: readonly (readonly [line: string, text: string])[];
}

/**
 * Calls the builder of a command with a parser that only takes notes: yargs itself takes 40 ms to load.
 *
 * @returns undefined for a command without a builder.
 */
export function builderNotesOf<T>({ builder }: CommandModule<object, T>): BuilderNotes | undefined {
  if (typeof builder !== "function") return undefined;
  const notes = new NoteTaker();
  void builder(notes as unknown as Argv);
  return notes;
}

/** The part of yargs that builders use. */
class NoteTaker implements BuilderNotes {
  readonly flags = new Map<string, Options>();
  readonly positionals = new Map<string, PositionalOptions>();
  commands: readonly CommandModule[] = [];
  readonly examples: (readonly [line: string, text: string])[] = [];

  command(commands: readonly CommandModule[]): this {
    this.commands = commands;
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

  example(line: string, text: string): this {
    this.examples.push([line, text]);
    return this;
  }
}
