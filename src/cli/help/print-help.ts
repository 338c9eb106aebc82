import type { OutputStreams } from "../context.ts";
import type { CommandDefinition } from "../definitions/command-definition.ts";
import { commandDefinitions } from "../definitions/command-definitions.ts";
import { hasColours, isTerminal } from "../screen/terminal.ts";
import { commandLines } from "./command-lines.ts";
import { type HelpLayout, MAX_WIDTH, MIN_WIDTH } from "./help-layout.ts";
import { overviewLines } from "./overview-lines.ts";
import { topicLines } from "./topic-lines.ts";
import { HELP_TOPICS } from "./topics/help-topics.ts";

const DEFAULT_WIDTH = 80;

/**
 * Prints a page of the help.
 *
 * @param words of a command or a topic, and more words after them; none for all commands.
 * @returns false if there is no such page.
 */
export async function printHelp(words: readonly string[], stream: OutputStreams["stdout"]): Promise<boolean> {
  const lines = helpLines(words, await commandDefinitions(), layoutOf(stream));
  if (lines !== undefined) stream.write(`${lines.join("\n")}\n`);
  return lines !== undefined;
}

/** The lines of a page of the help; undefined if there is none. */
export function helpLines(
  [word, next]: readonly string[],
  commands: readonly CommandDefinition[],
  layout: HelpLayout,
): readonly string[] | undefined {
  if (word === undefined) return overviewLines(commands, layout);
  const topic = HELP_TOPICS.find(({ name }) => name === word);
  if (topic !== undefined) return topicLines(topic, layout);
  const command = commands.find(({ name }) => name === word);
  if (command === undefined || command.subcommands.length === 0 || next === undefined)
    return command && commandLines(command, layout);
  const subcommand = command.subcommands.find(({ name }) => name === `${word} ${next}`);
  return subcommand && commandLines(subcommand, layout);
}

/** As wide as the terminal, within limits; 80 columns elsewhere. */
function layoutOf(stream: OutputStreams["stdout"]): HelpLayout {
  const columns = isTerminal(stream) ? stream.columns || DEFAULT_WIDTH : DEFAULT_WIDTH;
  return { width: Math.min(Math.max(columns, MIN_WIDTH), MAX_WIDTH), isStyled: hasColours(stream) };
}
