import type { CommandDefinition, FlagDefinition, PositionalDefinition } from "./command-definition.ts";

/** How parts of a command line are marked. */
export interface UsageMarks {
  /** What is typed as it is. */
  readonly literal: (text: string) => string;
  /** What stands for a value. */
  readonly placeholder: (text: string) => string;
}

const UNMARKED: UsageMarks = { literal: text => text, placeholder: text => text };

/** How a command is called: `imgpack push [OPTIONS] ARCHIVE...`. */
export function usageOf(
  { name, flags, positionals, subcommands }: CommandDefinition,
  marks: UsageMarks = UNMARKED,
): string {
  const { literal, placeholder } = marks;
  const options = flags.length > 0 ? [`[${placeholder("OPTIONS")}]`] : [];
  const required = flags.filter(({ isRequired }) => isRequired).map(flag => longForm(flag, marks));
  const words =
    subcommands.length > 0 ? [placeholder("COMMAND")] : positionals.map(word => positionalForm(word, marks));
  return [literal(`imgpack ${name}`), ...options, ...required, ...words].join(" ");
}

/** `--output FILE`. */
export function longForm({ name, value }: FlagDefinition, { literal, placeholder }: UsageMarks = UNMARKED): string {
  return value === undefined ? literal(`--${name}`) : `${literal(`--${name}`)} ${placeholder(value.placeholder)}`;
}

/** `ARCHIVE...`, `[REFERENCE]`. */
export function positionalForm(
  { isRequired, isList, value }: PositionalDefinition,
  { placeholder }: UsageMarks = UNMARKED,
): string {
  const word = `${placeholder(value.placeholder)}${isList ? "..." : ""}`;
  return isRequired ? word : `[${word}]`;
}
