import { alternatives } from "../../util/format.ts";
import { nearestWords } from "../../util/nearest/nearest-words.ts";
import type { CommandDefinition } from "../definitions/command-definition.ts";
import { commandDefinitions } from "../definitions/command-definitions.ts";
import { HELP_TOPICS } from "../help/topics/help-topics.ts";
import { redactedWords } from "../log/redacted-words.ts";
import { fillTemplate } from "./command-template.ts";
import { flagAdvice } from "./flag-advice.ts";
import { imageAdvice } from "./image-advice.ts";
import { type FoundOther, OTHER_WORDS, otherCommand } from "./other-commands.ts";
import { ENGINE_COMMANDS, hasTransport, transportAdvice } from "./transport-advice.ts";
import { readTypedLine, type TypedLine } from "./typed-line.ts";

/**
 * What was probably meant by a command line that was refused: a sentence for the hint. Arguments are repeated where they are
 * words for a shell and no secrets. Never a far-fetched guess.
 */
export async function advise(words: readonly string[]): Promise<string | undefined> {
  const commands = await commandDefinitions();
  const own = commands.map(({ name }) => name);
  if (words[0] === "help") return helpAdvice(words.slice(1), own, commands);
  const parent = commands.find(({ name }) => name === words[0]);
  // `tag ls`, `manifest get`: the first word is a command here as well.
  const other = otherCommand(words, own);
  if (other !== undefined && (parent === undefined || other.length > 1)) return otherAdvice(words, other, commands);
  if (parent === undefined) {
    return nearestAdvice("", words, [...own, "help"], commands) ?? misspelledOther(words, own, commands);
  }
  if (parent.subcommands.length === 0) {
    const { others } = readTypedLine(words.slice(1), parent.flags);
    return lineAdvice(parent, words.slice(1), commands) ?? (await imageAdvice(parent.name, others));
  }
  const sub = parent.subcommands.find(({ name }) => name === `${parent.name} ${words[1]}`);
  if (sub !== undefined) return lineAdvice(sub, words.slice(2), commands);
  const subs = parent.subcommands.map(({ name }) => name.slice(parent.name.length + 1));
  return nearestAdvice(`${parent.name} `, words.slice(1), subs, parent.subcommands);
}

/** @param words after `help` */
function helpAdvice(
  words: readonly string[],
  own: readonly string[],
  commands: readonly CommandDefinition[],
): string | undefined {
  const parent = commands.find(({ name }) => name === words[0]);
  if (parent !== undefined) {
    const subs = parent.subcommands.map(({ name }) => name.slice(parent.name.length + 1));
    return nearestAdvice(`help ${parent.name} `, words.slice(1), subs, []);
  }
  const other = otherCommand(words, own);
  if (other !== undefined) return otherAdvice(words, other, commands);
  const topics = [...own, ...HELP_TOPICS.map(({ name }) => name)];
  return nearestAdvice("help ", words, topics, []) ?? misspelledOther(words, own, commands);
}

/** `lod app.tar`: a command of another tool with a typing error. */
function misspelledOther(
  [word = "", ...rest]: readonly string[],
  own: readonly string[],
  commands: readonly CommandDefinition[],
): string | undefined {
  const [near] = nearestWords(word, OTHER_WORDS);
  if (near === undefined) return undefined;
  const other = otherCommand([near, ...rest], own);
  return other && otherAdvice([near, ...rest], other, commands);
}

function lineAdvice(
  command: CommandDefinition,
  words: readonly string[],
  commands: readonly CommandDefinition[],
): string | undefined {
  const line = readTypedLine(words, command.flags);
  const ofFlag = flagAdvice(command, line, commands);
  const others = transportAdvice(command.name, withoutUnknown(line));
  if (ofFlag === undefined) return others ?? missingOutput(command, words, line);
  return others !== undefined && hasTransport(line.others, command.name) ? `${ofFlag} ${others}` : ofFlag;
}

/** Without flags that the command lacks, as far as these have no value. */
function withoutUnknown(line: TypedLine): TypedLine {
  const isValue = (next: string | undefined): boolean => next !== undefined && !hasTransport([next]);
  const flags = line.flags.filter(({ definition, next }) => definition !== undefined || isValue(next));
  return { ...line, flags };
}

/** `pull IMAGE`, as docker has it. */
function missingOutput(command: CommandDefinition, words: readonly string[], line: TypedLine): string | undefined {
  const [image, ...more] = line.others;
  if (
    command.name !== "pull" ||
    image === undefined ||
    line.flags.some(({ name }) => name === "output" || name === "o")
  ) {
    return undefined;
  }
  const name = more.length > 0 ? "images" : /([\w.-]*)(?::[\w.-]*)?(?:@.*)?$/.exec(image)?.[1] || "image";
  const filled = certainLine([...words, "--output", `${name}.tar`], command);
  const text = filled && fillTemplate("pull ARGUMENTS..", filled);
  return text && `For example: imgpack ${text}`;
}

/** @param before the words of the command above it */
function nearestAdvice(
  before: string,
  words: readonly string[],
  names: readonly string[],
  commands: readonly CommandDefinition[],
): string | undefined {
  const [word = "", ...rest] = words;
  if (word.startsWith("-")) {
    const [flag] = nearestWords(word.replace(/^--?/, ""), ["help", "version"]);
    return flag === undefined ? undefined : `Did you mean "imgpack --${flag}"?`;
  }
  const nearest = nearestWords(word, names, 3);
  const [only] = nearest;
  if (only === undefined) return undefined;
  const definition = commands.find(each => each.name === `${before}${only}`);
  const line = nearest.length === 1 ? certainLine(rest, definition) : undefined;
  const filled = line && fillTemplate(`${before}${only} ARGUMENTS..`, line);
  const texts = filled === undefined ? nearest.map(name => `${before}${name}`) : [filled];
  return didYouMean(texts.map(text => `"imgpack ${text}"`));
}

function otherAdvice(words: readonly string[], other: FoundOther, commands: readonly CommandDefinition[]): string {
  const rest = words.slice(other.length);
  const filled = other.uses.map(use => {
    const command = commands.find(({ name }) => name === use.template.split(" ")[0]);
    const line = certainLine(
      rest.map(word => ownWord(word, use.template)),
      command,
    );
    return { ...use, filled: line && fillTemplate(use.template, line) };
  });
  const fitting = filled.filter(use => use.filled !== undefined);
  const chosen = fitting.length > 0 ? fitting : filled;
  const texts = chosen.map(({ template, purpose, filled: text }) => {
    const line = `"imgpack ${text ?? template}"`;
    return chosen.length === 1 || purpose === "" ? line : `${line} (${purpose})`;
  });
  return `${other.note === undefined ? "" : `${other.note} `}${didYouMean(texts)}`;
}

function didYouMean(texts: readonly string[]): string {
  const shown = texts.map(text => text.replace(/ ARGUMENTS\.\./, "").replace(/\b([A-Z]{2,}\.\.)(?!\.)/, "$1."));
  return `Did you mean ${alternatives(shown)}?`;
}

/** docker:// names a registry in words of skopeo, and an engine in those of imgpack. */
function ownWord(word: string, template: string): string {
  const isOfEngine = !template.includes("://") && ENGINE_COMMANDS.has(template.split(" ")[0] ?? "");
  return isOfEngine ? word : word.replace(/^docker:\/\//, "");
}

/** Flags that name a file in docker, podman, ctr and crane. */
const FILE_FLAGS = ["output", "input"].map(name => ({
  name,
  alias: name[0],
  group: "This command" as const,
  value: { placeholder: "FILE", kind: "file" as const, choices: [] },
  isRepeatable: false,
  isRequired: false,
  text: "",
}));

/** The line, if it has neither flags that are unknown nor what may be a secret. */
function certainLine(words: readonly string[], command: CommandDefinition | undefined): TypedLine | undefined {
  const own = command?.flags ?? [];
  const line = readTypedLine(words, [
    ...FILE_FLAGS.filter(({ name }) => own.every(each => each.name !== name)),
    ...own,
  ]);
  const isSafe = redactedWords(words).every((word, at) => word === words[at]);
  return isSafe && line.flags.every(({ definition }) => definition !== undefined) ? line : undefined;
}
