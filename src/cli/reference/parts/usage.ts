import type { CommandDefinition, FlagDefinition, PositionalDefinition } from "../../definitions/command-definition.ts";

/** How a command is called: `imgpack push [OPTIONS] ARCHIVE...`. */
export function usageOf(command: CommandDefinition): string {
  const required = command.flags.filter(({ isRequired }) => isRequired).map(flag => longForm(flag));
  const words = command.subcommands.length > 0 ? ["COMMAND"] : command.positionals.map(word => positionalForm(word));
  const options = command.flags.length > 0 ? ["[OPTIONS]"] : [];
  return ["imgpack", command.name, ...options, ...required, ...words].join(" ");
}

/** `--output FILE`. */
export function longForm({ name, value }: FlagDefinition): string {
  return value === undefined ? `--${name}` : `--${name} ${value.placeholder}`;
}

/** `ARCHIVE...`, `[REFERENCE]`. @param mark writes the placeholder. */
export function positionalForm(
  { isRequired, isList, value }: PositionalDefinition,
  mark: (placeholder: string) => string = text => text,
): string {
  const word = `${mark(value.placeholder)}${isList ? "..." : ""}`;
  return isRequired ? word : `[${word}]`;
}
