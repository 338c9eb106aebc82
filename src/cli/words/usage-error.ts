import { UsageError } from "../../errors.ts";
import { alternatives, quote } from "../../util/format.ts";
import { flagWord } from "../check-values.ts";
import { HUB_COMMAND_NAMES } from "../output/render-error.ts";

/** The text that yargs reports for a command line without a command. */
export const NO_COMMAND = "no command";
/** There are too many for a message. */
const SOME = "one such as push or pull";

/**
 * What yargs found wrong with a command line, in the template of our messages. yargs reports nothing but text.
 *
 * @param known flags of the command, as they are spelled; none if they are not known.
 */
export function usageError(
  found: string,
  words: readonly string[],
  commands: readonly string[],
  known: readonly string[] = [],
): UsageError {
  const command = commands.find(name => name === words[0]);
  return new UsageError(
    messageFor(found, command === undefined ? "Cannot run" : `Cannot run ${command}`, words, command, known),
  );
}

function messageFor(
  found: string,
  run: string,
  words: readonly string[],
  command: string | undefined,
  known: readonly string[],
): string {
  const [first = "", second = ""] = words;
  if (command === undefined && /^[^-]/.test(first))
    return `Cannot run ${quote(first)}: unknown command, expected ${SOME}`;
  if (command === "hub" && /^[^-]/.test(second) && !HUB_COMMAND_NAMES.some(name => name === second)) {
    return `Cannot run hub: unknown command ${quote(second)}, expected ${alternatives(HUB_COMMAND_NAMES)}`;
  }
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/s.exec(found)?.[1];
  if (unknown !== undefined) return unknownMessage(unknown, run, words, command);
  const own = unknownFlags(words, known);
  if (own.length > 0 && /^(?:Not enough non-option|Missing required)/.test(found)) {
    return unknownFlagsMessage(own, run, command);
  }
  const few = /^Not enough non-option arguments: got (\d+), need at least (\d+)/.exec(found);
  if (few !== null) {
    const given = few[1] === "0" ? "no input given" : `only ${few[1]} given`;
    return `${run}: ${given}, expected at least ${few[2] === "1" ? "one" : few[2]}`;
  }
  const missing = /^Missing required arguments?: (.*)$/.exec(found)?.[1];
  if (missing !== undefined)
    return `${run}: ${missing.split(", ").map(flagWord).join(" and ")} missing, expected a value`;
  const bare = /^Not enough arguments following: (.*)$/.exec(found)?.[1];
  if (bare !== undefined) return `${run}: ${flagWord(bare)} has no value, expected one`;
  const choice = /Argument: (.*), Given: "(.*)", Choices: (.*)/.exec(found);
  if (choice !== null) {
    const [, name = "", given = "", choices = ""] = choice;
    const names = [...choices.matchAll(/"([^"]*)"/g)].map(match => match[1]);
    // yargs reports positional arguments in the same way.
    const isFlag = words.some(word => word.startsWith(flagWord(name)));
    return `Cannot use ${isFlag ? flagWord(name) : name} ${quote(given)}: unknown value, expected one of ${names.join(", ")}`;
  }
  if (found === NO_COMMAND) return `Cannot run: no command named, expected ${SOME}`;
  return `${run}: ${quote(found)}, expected another command line`;
}

function unknownMessage(list: string, run: string, words: readonly string[], command: string | undefined): string {
  const names = list.split(", ");
  const flags = [...new Set(words.map(word => word.replace(/=.*$/s, "")))].filter(word => isUnknownFlag(word, names));
  if (flags.length > 0) {
    return unknownFlagsMessage(flags, run, command);
  }
  return `${run}: unknown argument ${quote(list)}, expected none`;
}

function unknownFlagsMessage(flags: readonly string[], run: string, command: string | undefined): string {
  return `${run}: unknown flag ${flags.map(quote).join(", ")}, expected ${command === undefined ? "a command" : `a flag of ${command}`}`;
}

/** An unknown flag can take the only argument for its value: what is missing is no news then. */
function unknownFlags(words: readonly string[], known: readonly string[]): readonly string[] {
  if (known.length === 0) return [];
  const end = words.indexOf("--");
  const flags = (end === -1 ? words : words.slice(0, end)).filter(word => word.startsWith("--"));
  return [...new Set(flags.map(word => word.replace(/=.*$/s, "")))].filter(word => !known.includes(word));
}

/** yargs reads `-registry` as letters. */
function isUnknownFlag(word: string, names: readonly string[]): boolean {
  const isOfLetters = /^-[a-z][\w-]+$/i.test(word);
  return isOfLetters
    ? [...word.slice(1)].some(letter => names.includes(letter))
    : names.some(name => word === flagWord(name));
}
