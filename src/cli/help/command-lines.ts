import {
  type CommandDefinition,
  type ExampleDefinition,
  FLAG_GROUPS,
  type FlagDefinition,
} from "../definitions/command-definition.ts";
import { descriptionOf, sentence } from "../definitions/description.ts";
import { longForm, positionalForm, usageOf } from "../definitions/usage.ts";
import { type HelpLayout, type HelpRow, paragraph, rowLines, section, usageLines } from "./help-layout.ts";
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
  const argumentRows = positionals.map(one => ({ term: positionalForm({ ...one, isRequired: true }), text: one.text }));
  return [
    ...usageLines(usageOf(command), layout),
    "",
    ...paragraph(sentence(command.summary), layout),
    ...section("Commands", summaryRows(subcommands, layout), layout),
    ...section("Arguments", rowLines(argumentRows, columns, layout), layout),
    ...FLAG_GROUPS.flatMap(group => {
      const rows = flags.filter(flag => flag.group === group).map(flagRow);
      return section(group === "This command" ? "Options" : group, rowLines(rows, columns, layout), layout);
    }),
    ...section("Examples", exampleLines(examples, layout), layout),
    "",
    ...footer(command, layout),
  ];
}

function flagRow(flag: FlagDefinition): HelpRow {
  const short = flag.alias === undefined ? SHORT_FLAG : `-${flag.alias}, `;
  return { term: `${short}${longForm(flag)}`, text: descriptionOf(flag) };
}

/** Of all lists of commands and topics: "environment" is the longest name. */
const NAME_COLUMNS = 15;

/** Commands or topics with their summaries. */
export function summaryRows(
  all: readonly Pick<CommandDefinition, "name" | "summary">[],
  layout: HelpLayout,
): readonly string[] {
  const rows = all.map(({ name, summary }) => ({ term: name, text: summary }));
  return rowLines(rows, NAME_COLUMNS, layout);
}

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
