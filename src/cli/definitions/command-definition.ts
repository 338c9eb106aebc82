/** Where a command is in the help. */
export const COMMAND_GROUPS = [
  "Move images",
  "Look inside",
  "Registries",
  "Bundles",
  "Old registries",
  "Other",
] as const;
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** Where a flag is in the help of its command: the `group` of its yargs options, else "This command". */
export const FLAG_GROUPS = ["This command", "Registry", "Transfer", "Output"] as const;
export type FlagGroup = (typeof FLAG_GROUPS)[number];

/** What a value is, for completion. */
export type ValueKind =
  | "file"
  | "new-file"
  | "folder"
  | "archive"
  /** An archive, or a reference. */
  | "source"
  | "reference"
  | "repository"
  | "host"
  | "number"
  | "choice"
  /** Of the help: a command, or a page of its own. */
  | "topic"
  | "text";

export interface ValueDefinition {
  /** As in `--output FILE`. */
  readonly placeholder: string;
  readonly kind: ValueKind;
  /** All allowed values of a choice; of another kind, values to offer. */
  readonly choices: readonly string[];
}

export interface FlagDefinition {
  readonly name: string;
  /** One letter. */
  readonly alias: string | undefined;
  readonly group: FlagGroup;
  /** Undefined for a switch. */
  readonly value: ValueDefinition | undefined;
  readonly isRepeatable: boolean;
  readonly isRequired: boolean;
  /** With the default, and the unit of a number. */
  readonly text: string;
}

export interface PositionalDefinition {
  readonly name: string;
  readonly isRequired: boolean;
  /** Takes all words that are left. */
  readonly isList: boolean;
  readonly text: string;
  readonly value: ValueDefinition;
}

export interface ExampleDefinition {
  /** As it is typed: `imgpack push …`. */
  readonly command: string;
  readonly text: string;
}

/** A command, as help, man pages, docs/COMMANDS.md and completion show it. */
export interface CommandDefinition {
  /** As it is typed after `imgpack`: `push`, `hub search`. */
  readonly name: string;
  readonly group: CommandGroup;
  readonly summary: string;
  readonly positionals: readonly PositionalDefinition[];
  readonly flags: readonly FlagDefinition[];
  readonly examples: readonly ExampleDefinition[];
  readonly subcommands: readonly CommandDefinition[];
}
