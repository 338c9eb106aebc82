import type { CommandDefinition, FlagDefinition } from "../../definitions/command-definition.ts";
import { withSubcommands } from "../../definitions/with-subcommands.ts";

/** A flag that at least so many commands have, with the same words, is explained once. */
const MIN_COMMANDS = 3;

/** Flags of the groups that many commands share, in the order in which commands have them. */
export function sharedFlags(commands: readonly CommandDefinition[]): readonly FlagDefinition[] {
  const counts = new Map<string, { readonly flag: FlagDefinition; count: number }>();
  for (const flag of withSubcommands(commands).flatMap(({ flags }) => flags)) {
    if (flag.group === "This command") continue;
    const known = counts.get(keyOf(flag));
    if (known === undefined) counts.set(keyOf(flag), { flag, count: 1 });
    else known.count += 1;
  }
  return [...counts.values()].filter(({ count }) => count >= MIN_COMMANDS).map(({ flag }) => flag);
}

export function isSameFlag(one: FlagDefinition, other: FlagDefinition): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf(flag: FlagDefinition): string {
  return JSON.stringify(flag);
}
