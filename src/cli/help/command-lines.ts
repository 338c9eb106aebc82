import type { CommandDefinition, ExampleDefinition, FlagDefinition } from "../definitions/command-definition.ts";
import { FLAG_GROUPS } from "../definitions/command-definition.ts";
import { descriptionOf } from "../reference/parts/description.ts";
import { longForm, positionalForm, usageOf } from "../reference/parts/usage.ts";
import { type HelpLayout, paragraph, rowLines, section, sentence, usageLines } from "./help-layout.ts";
import { shellLines } from "./shell-lines.ts";

const COLUMNS = 30;
const WIDE_COLUMNS = 38;
const WIDE = 100;
/** Of `-o, `: names of flags begin in one column. */
const SHORT_FLAG = "    ";

/** The help of one command. */
export function commandLines(command: CommandDefinition, layout: HelpLayout): readonly string[] {
  const { positionals, flags, examples, subcommands } = command;
  const columns = layout.width < WIDE ? COLUMNS : WIDE_COLUMNS;
  const rows = (given: readonly FlagDefinition[]) =>
    rowLines(
      given.map(flag => ({
        term: `${flag.alias === undefined ? SHORT_FLAG : `-${flag.alias}, `}${longForm(flag)}`,
        text: descriptionOf(flag),
      })),
      columns,
      layout,
    );
  const groups = FLAG_GROUPS.map(group => flags.filter(flag => flag.group === group));
  return [
    ...usageLines(usageOf(command), layout),
    "",
    ...paragraph(sentence(command.summary), layout),
    ...section("Commands", commandRows(subcommands, layout), layout),
    ...section(
      "Arguments",
      rowLines(
        positionals.map(one => ({ term: positionalForm({ ...one, isRequired: true }), text: one.text })),
        columns,
        layout,
      ),
      layout,
    ),
    ...groups.flatMap((group, at) => section(at === 0 ? "Options" : (FLAG_GROUPS[at] ?? ""), rows(group), layout)),
    ...section("Examples", exampleLines(examples, layout), layout),
    "",
    ...footer(command, layout),
  ];
}

/** Commands with their summaries, as wide as the longest name. */
export function commandRows(commands: readonly CommandDefinition[], layout: HelpLayout): readonly string[] {
  const rows = commands.map(({ name, summary }) => ({ term: name, text: summary }));
  return rowLines(rows, COMMAND_COLUMNS, layout);
}

/** One for all lists of commands and topics: "environment" is the longest name. */
export const COMMAND_COLUMNS = 15;

function exampleLines(examples: readonly ExampleDefinition[], layout: HelpLayout): readonly string[] {
  return examples.flatMap(({ command, text }, at) => [
    ...(at === 0 ? [] : [""]),
    ...paragraph(`# ${text}`, layout, 2),
    ...shellLines(command, layout.width - 2).map(line => `  ${line}`),
  ]);
}

function footer({ name, subcommands }: CommandDefinition, layout: HelpLayout): readonly string[] {
  if (subcommands.length > 0) return paragraph(`"imgpack ${name} COMMAND --help" explains one of them.`, layout);
  return [
    ...paragraph('Exit code 0 is done; "imgpack help exit-codes" lists the others.', layout),
    ...paragraph('"imgpack help environment" lists the variables that imgpack reads.', layout),
  ];
}
