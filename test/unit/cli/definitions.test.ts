import { describe, expect, test } from "vitest";
import { type CommandDefinition, FLAG_GROUPS } from "../../../src/cli/definitions/command-definition.ts";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { VALUE_KEYS } from "../../../src/cli/definitions/value-definitions.ts";

const commands = await commandDefinitions();
/** With the commands of `hub`. */
const all: readonly CommandDefinition[] = commands.flatMap(command => [command, ...command.subcommands]);

/** The keys of a table that say something about a flag or an argument of a command. */
function usedKeys(keys: readonly string[], namesOf: (command: CommandDefinition) => readonly string[]): Set<string> {
  const named = all.flatMap(command =>
    namesOf(command).map(name => (keys.includes(`${command.name} ${name}`) ? `${command.name} ${name}` : name)),
  );
  return new Set(named);
}

describe("the definitions of the command line", () => {
  test("list each command once, grouped, with its summary", () => {
    const groups = commands.map(({ group }) => group);
    // No group comes twice.
    expect(groups.filter((group, at) => group !== groups[at - 1])).toEqual([...new Set(groups)]);
    for (const { name, summary } of all) expect(summary, name).toMatch(/^[a-z]/);
  });

  test("have the value of each flag and argument in a table, which has no others", () => {
    const flags = usedKeys(VALUE_KEYS.flags, ({ flags }) =>
      flags.filter(({ value }) => value !== undefined && value.kind !== "choice").map(({ name }) => name),
    );
    expect([...flags].sort()).toEqual([...VALUE_KEYS.flags].sort());
    const given = usedKeys(VALUE_KEYS.arguments, ({ positionals }) =>
      positionals.filter(({ value }) => value.kind !== "choice").map(({ name }) => name),
    );
    expect([...given].sort()).toEqual([...VALUE_KEYS.arguments].sort());
  });

  test("group the flags, those of the command first", () => {
    for (const { name, flags } of all) {
      const order = flags.map(({ group }) => FLAG_GROUPS.indexOf(group));
      expect(order, name).toEqual([...order].sort());
    }
  });
});
