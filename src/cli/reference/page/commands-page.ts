import {
  COMMAND_GROUPS,
  type CommandDefinition,
  FLAG_GROUPS,
  type FlagDefinition,
} from "../../definitions/command-definition.ts";
import { descriptionOf, sentence } from "../../definitions/description.ts";
import { longForm, positionalForm, usageOf } from "../../definitions/usage.ts";
import { withSubcommands } from "../../definitions/with-subcommands.ts";
import type { HelpTopic } from "../../help/topics/help-topic.ts";
import { exampleComment } from "./example-comments.ts";
import { code, markdown, table } from "./markdown.ts";
import { PROSE_PAGES } from "./prose-pages.ts";
import { isSameFlag, sharedFlags } from "./shared-flags.ts";
import { topicSection } from "./topic-section.ts";

const INTRO = `# Commands

Every command with its arguments and options, as \`imgpack COMMAND --help\` and the man pages have them.

<!-- made by npm run reference from src/cli/definitions: do not edit -->`;

/** docs/COMMANDS.md. */
export function commandsPage(commands: readonly CommandDefinition[], topics: readonly HelpTopic[]): string {
  const shared = sharedFlags(commands);
  const groups = COMMAND_GROUPS.map(group => ({ group, all: commands.filter(command => command.group === group) }));
  const parts = [
    INTRO,
    table(
      ["task", "commands"],
      groups.map(({ group, all }) => [linkTo(group), all.map(({ name }) => linkTo(name)).join(", ")]),
    ),
    ...groups.flatMap(({ group, all }) => [
      `## ${group}`,
      ...withSubcommands(all).flatMap(command => sectionOf(command, shared)),
    ]),
    "## Options of many commands",
    ...FLAG_GROUPS.flatMap(group => sharedSection(group, shared)),
    ...topics.flatMap(topicSection),
  ];
  return `${parts.join("\n\n")}\n`;
}

function linkTo(heading: string): string {
  return `[${heading}](#${heading.toLowerCase().replaceAll(" ", "-")})`;
}

/** A command: how it is called, what it takes, and where docs/ explains it. */
function sectionOf(command: CommandDefinition, shared: readonly FlagDefinition[]): readonly string[] {
  const { name, summary, positionals, flags, examples, subcommands } = command;
  const isShared = (flag: FlagDefinition): boolean => shared.some(other => isSameFlag(flag, other));
  const own = flags.filter(flag => !isShared(flag));
  const page = proseOf(name);
  const depth = name.split(" ").length;
  return [
    `${"#".repeat(2 + depth)} ${name}`,
    `${markdown(sentence(summary))}${page === undefined ? "" : ` More: [${page.replace(/#.*/, "")}](${page}).`}`,
    code(usageOf(command)),
    ...optional(subcommands.length > 0, () =>
      table(
        ["command", "what it does"],
        subcommands.map(sub => [linkTo(sub.name), markdown(sub.summary)]),
      ),
    ),
    ...optional(positionals.length > 0, () =>
      table(
        ["argument", "what it is"],
        positionals.map(positional => [code(positionalForm(positional)), markdown(positional.text)]),
      ),
    ),
    ...optional(own.length > 0, () => flagTable(own)),
    ...sharedLists(flags.filter(isShared)),
    ...optional(examples.length > 0, () => examplesOf(command)),
  ];
}

function optional(isThere: boolean, make: () => string): readonly string[] {
  return isThere ? [make()] : [];
}

/** Where docs/ explains a command; one below another, where the other is. */
function proseOf(name: string): string | undefined {
  const pages: Readonly<Record<string, string>> = PROSE_PAGES;
  return pages[name.split(" ", 1)[0] ?? name];
}

function flagTable(flags: readonly FlagDefinition[]): string {
  return table(
    ["option", "what it does"],
    flags.map(flag => [spelled(flag), markdown(descriptionOf(flag))]),
  );
}

function spelled(flag: FlagDefinition): string {
  const alias = flag.alias === undefined ? "" : `${code(`-${flag.alias}`)}, `;
  return `${alias}${code(longForm(flag))}`;
}

/** The names of options that have a section of their own, a line for each group. */
function sharedLists(flags: readonly FlagDefinition[]): readonly string[] {
  const lines = FLAG_GROUPS.flatMap(group => {
    const names = flags.filter(flag => flag.group === group).map(({ name }) => code(`--${name}`));
    return names.length === 0 ? [] : [`- [${group}](#${group.toLowerCase()}-options): ${names.join(", ")}`];
  });
  return optional(lines.length > 0, () => lines.join("\n"));
}

function sharedSection(group: string, shared: readonly FlagDefinition[]): readonly string[] {
  const flags = shared.filter(flag => flag.group === group);
  return flags.length === 0 ? [] : [`### ${group} options`, flagTable(flags)];
}

/** Blocks of examples: one that needs a comment for the test has its own. */
function examplesOf({ examples }: CommandDefinition): string {
  const blocks: { readonly comment: string | undefined; text: string }[] = [];
  for (const { command, text } of examples) {
    const comment = exampleComment(command);
    const last = blocks.at(-1);
    const lines = `# ${text}\n${command}\n`;
    if (last !== undefined && last.comment === comment) last.text += lines;
    else blocks.push({ comment, text: lines });
  }
  const commentLine = (comment: string | undefined): string => (comment === undefined ? "" : `${comment}\n`);
  return blocks.map(({ comment, text }) => `${commentLine(comment)}\`\`\`sh\n${text}\`\`\``).join("\n\n");
}
