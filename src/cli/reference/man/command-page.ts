import { type CommandDefinition, FLAG_GROUPS, type FlagDefinition } from "../../definitions/command-definition.ts";
import { descriptionOf } from "../../definitions/description.ts";
import { longForm, positionalForm, type UsageMarks, usageOf } from "../../definitions/usage.ts";
import { withSubcommands } from "../../definitions/with-subcommands.ts";
import type { Edition } from "./edition.ts";
import { type ManPage, manPage, type PageReference, seeAlso } from "./man-page.ts";
import { bold, code, entry, italic, paragraph, request, roff } from "./roff.ts";

const MARKS: UsageMarks = { literal: bold, placeholder: italic };

/** `imgpack-hub-search`. */
export function pageNameOf({ name }: CommandDefinition): string {
  return `imgpack-${name.replaceAll(" ", "-")}`;
}

/** The page of one command. @param topics to read next. */
export function commandManPage(
  command: CommandDefinition,
  topics: readonly PageReference[],
  edition: Edition,
): ManPage {
  const { summary, positionals, flags, examples, subcommands } = command;
  const below = withSubcommands(subcommands);
  return manPage({ name: pageNameOf(command), section: 1, summary }, edition, [
    request("SH", "SYNOPSIS"),
    ...paragraph(usageOf(command, MARKS)),
    ...terms(
      "COMMANDS",
      below.map(sub => [bold(`imgpack ${sub.name}`), sub.summary]),
    ),
    ...terms(
      "ARGUMENTS",
      positionals.map(positional => [positionalForm(positional, MARKS), positional.text]),
    ),
    ...(flags.length === 0 ? [] : [request("SH", "OPTIONS")]),
    ...FLAG_GROUPS.flatMap(group =>
      groupOf(
        group,
        flags.filter(flag => flag.group === group),
      ),
    ),
    ...examplesOf(examples),
    ...seeAlso([
      { name: "imgpack", section: 1 },
      ...parentOf(command),
      ...below.map(sub => ({ name: pageNameOf(sub), section: 1 as const })),
      ...topics,
    ]),
  ]);
}

/** imgpack-hub(1) of `hub search`. */
function parentOf({ name }: CommandDefinition): readonly PageReference[] {
  const words = name.split(" ");
  return words.length === 1 ? [] : [{ name: `imgpack-${words.slice(0, -1).join("-")}`, section: 1 }];
}

/** `-o, --output FILE`. */
export function flagTerm(flag: FlagDefinition): string {
  return `${flag.alias === undefined ? "" : `${bold(`-${flag.alias}`)}, `}${longForm(flag, MARKS)}`;
}

function terms(heading: string, rows: readonly (readonly [term: string, text: string])[]): readonly string[] {
  if (rows.length === 0) return [];
  return [request("SH", heading), ...rows.flatMap(([term, text]) => entry(term, text))];
}

function groupOf(group: string, flags: readonly FlagDefinition[]): readonly string[] {
  if (flags.length === 0) return [];
  return [request("SS", group), ...flags.flatMap(flag => entry(flagTerm(flag), descriptionOf(flag)))];
}

function examplesOf(examples: CommandDefinition["examples"]): readonly string[] {
  return examples.flatMap(({ command, text }, index) => [
    index === 0 ? request("SH", "EXAMPLES") : ".PP",
    ...paragraph(`${roff(text)}:`),
    ...code(command),
  ]);
}
