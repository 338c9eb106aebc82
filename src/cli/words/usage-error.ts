import { UsageError } from "../../errors.ts";
import { alternatives, quote } from "../../util/format.ts";
import { flagWord } from "../check-values.ts";

/** The text that yargs reports for a command line without a command. */
export const NO_COMMAND = "no command";

/** What yargs found wrong with a command line, in the template of our messages. yargs reports nothing but text. */
export function usageError(found: string, words: readonly string[], commands: readonly string[]): UsageError {
  const command = commands.find(name => name === words[0]);
  const run = command === undefined ? "Cannot run" : `Cannot run ${command}`;
  const message = messageFor(found, run, words, command === undefined ? commands : undefined);
  return new UsageError(message, { hint: givesPassword(found, words) ? PASSWORD_HINT : undefined });
}

const PASSWORD_HINT = "Passwords come from stdin, where no list of processes shows them: pass --password-stdin.";

/** `-p` is docker's. */
function givesPassword(found: string, words: readonly string[]): boolean {
  const [, list = ""] = /^Unknown arguments?: (.*)$/s.exec(found) ?? [];
  const isLogin = words[0] === "login" || words[0] === "hub";
  return list.split(", ").some(name => name === "password" || (isLogin && name === "p"));
}

function messageFor(
  found: string,
  run: string,
  words: readonly string[],
  commands: readonly string[] | undefined,
): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/s.exec(found)?.[1];
  if (unknown !== undefined) return unknownMessage(unknown, run, words, commands);
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
  if (found === NO_COMMAND) return `Cannot run: no command named, expected ${alternatives(commands ?? [])}`;
  return `${run}: ${quote(found)}, expected another command line`;
}

function unknownMessage(
  list: string,
  run: string,
  words: readonly string[],
  commands: readonly string[] | undefined,
): string {
  const names = list.split(", ");
  const flags = names.filter(name => words.some(word => word.replace(/=.*$/s, "") === flagWord(name)));
  if (flags.length > 0)
    return `${run}: unknown flag ${flags.map(name => quote(flagWord(name))).join(", ")}, expected none`;
  if (commands === undefined) return `${run}: unknown argument ${quote(list)}, expected none`;
  return `Cannot run ${quote(words[0] ?? list)}: unknown command, expected ${alternatives(commands)}`;
}
