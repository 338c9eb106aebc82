import type { CommandDefinition, FlagDefinition } from "../../definitions/command-definition.ts";
import { commandDefinitions } from "../../definitions/command-definitions.ts";
import { HELP, VERSION } from "../../definitions/common-flags.ts";
import { HELP_TOPICS } from "../../help/topics/help-topics.ts";
import { type Answer, type Candidate, NO_ANSWER } from "./answer.ts";
import { completeValue } from "./complete-value.ts";
import { type NameSources, namesFor } from "./name-sources.ts";
import { lastWord, type ReadLine, readLine, type TypedLine } from "./read-line.ts";

/**
 * What fits at the cursor of a command line.
 *
 * @param sources makes the names for a line; default: those of this machine and of the registries that the line names.
 * @param commands default: those of imgpack.
 */
export async function completeLine(
  line: TypedLine,
  sources: (line: ReadLine) => NameSources = namesFor,
  commands?: readonly CommandDefinition[],
): Promise<Answer> {
  const all = commands ?? (await commandDefinitions());
  const read = readLine(line, all);
  const { slot, command, given } = read;
  const typed = line.words[line.at] ?? "";
  if (slot.kind === "command") {
    return { ...NO_ANSWER, candidates: slot.commands.map(commandCandidate) };
  }
  if (slot.kind === "flag") {
    const flags = [...slot.flags, HELP, ...(command === undefined ? [VERSION] : [])];
    const left = flags.filter(({ name, isRepeatable }) => isRepeatable || !given.has(name));
    return { ...NO_ANSWER, candidates: left.flatMap(flag => spellings(flag, typed)) };
  }
  if (slot.kind !== "value") return NO_ANSWER;
  if (slot.value.kind === "topic") return { ...NO_ANSWER, candidates: topics(line, all) };
  return await completeValue(slot, read, sources(read));
}

/** What `help` explains: commands and pages, or the commands of the command before the cursor. */
function topics({ words, at }: TypedLine, commands: readonly CommandDefinition[]): readonly Candidate[] {
  if (at === 1) return [...commands.map(commandCandidate), ...HELP_TOPICS.map(commandCandidate)];
  const parent = at === 2 ? commands.find(({ name }) => name === words[1]) : undefined;
  return (parent?.subcommands ?? []).map(commandCandidate);
}

function commandCandidate({ name, summary }: { readonly name: string; readonly summary: string }): Candidate {
  return { value: lastWord(name), text: summary };
}

/** Short ones only where the word can still become one. */
function spellings({ name, alias, text }: FlagDefinition, typed: string): readonly Candidate[] {
  const long = { value: `--${name}`, text };
  return alias === undefined || typed.startsWith("--") ? [long] : [long, { value: `-${alias}`, text }];
}
