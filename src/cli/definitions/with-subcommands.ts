import type { CommandDefinition } from "./command-definition.ts";

/** The commands, each followed by those below it: `hub`, `hub login`. */
export function withSubcommands(commands: readonly CommandDefinition[]): readonly CommandDefinition[] {
  return commands.flatMap(command => [command, ...withSubcommands(command.subcommands)]);
}
