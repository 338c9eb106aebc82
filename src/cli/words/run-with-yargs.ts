import yargs, { type CommandModule } from "yargs";
import { VERSION } from "../../util/version.ts";
import { checkValues } from "../check-values.ts";
import { type Context, printLine } from "../context.ts";
import { type BuilderNotes, builderNotesOf } from "../definitions/builder-notes.ts";
import { checkOutputs } from "../output/output-files.ts";
import { NO_COMMAND, usageError } from "./usage-error.ts";

/** Comes before a word that yargs must take for an argument: it drops `-`, and takes nothing after `--` for an argument. */
const ARGUMENT = "\u0000";

/**
 * Runs a command line that `parseWords` leaves to yargs: errors, and odd spellings.
 *
 * @param beforeCommand is called with the flags, once they are checked.
 */
export async function runWithYargs(
  words: readonly string[],
  commands: readonly CommandModule[],
  context: Context,
  beforeCommand: (flags: Readonly<Record<string, unknown>>) => Promise<void> = async () => undefined,
): Promise<void> {
  const spoken = plainArguments(words);
  const notes = notesOf(words, commands);
  const known = notes === undefined ? [] : [...notes.flags.keys(), "help", "version"].map(name => `--${name}`);
  const parser = yargs(spoken)
    .scriptName("imgpack")
    .detectLocale(false)
    .command([...commands])
    .demandCommand(1, NO_COMMAND)
    .middleware(restoreArguments)
    .middleware(flags => checkValues(flags, notesOf(flags._, commands)))
    .middleware(checkOutputs)
    .middleware(beforeCommand)
    .strict()
    .version("version", "print the version", VERSION)
    .alias("V", "version")
    // src/cli/help has a help of its own.
    .help(false)
    .parserConfiguration({ "boolean-negation": false })
    .exitProcess(false)
    .fail((message, error) => {
      const isOfParser = error === undefined || error.name === "YError";
      throw isOfParser ? usageError(message ?? error?.message, words, commands.map(nameOf), known) : error;
    });
  // Given a callback, yargs does not print with console.log, which takes a full disk for success in some runtimes.
  await parser.parseAsync(spoken, {}, (_error, _flags, output) => {
    if (output !== "") printLine(context, output);
  });
}

/** What the command of a command line defines, which may be one of `hub`. */
function notesOf(
  [word, ...more]: readonly (string | number)[],
  commands: readonly CommandModule[],
): BuilderNotes | undefined {
  const command = commands.find(each => nameOf(each) === word);
  const notes = command && builderNotesOf(command);
  return notes === undefined || notes.commands.length === 0 ? notes : notesOf(more, notes.commands);
}

function nameOf({ command = "" }: CommandModule): string {
  return String(command).split(" ")[0] ?? "";
}

/** Without `--`: what comes after it is no flag. */
function plainArguments(words: readonly string[]): readonly string[] {
  const end = words.indexOf("--");
  const flagsAndMore = end === -1 ? words : words.slice(0, end);
  const others = end === -1 ? [] : words.slice(end + 1);
  return [
    ...flagsAndMore.map(word => (word === "-" ? `${ARGUMENT}-` : word)),
    // A boolean flag takes "true" and "false".
    ...others.map(word => (/^(?:-|true$|false$)/.test(word) ? `${ARGUMENT}${word}` : word)),
  ];
}

function restoreArguments(flags: Record<string, unknown>): void {
  const restored = (value: unknown): unknown =>
    typeof value === "string" && value.startsWith(ARGUMENT) ? value.slice(ARGUMENT.length) : value;
  for (const [name, value] of Object.entries(flags)) {
    flags[name] = Array.isArray(value) ? value.map(restored) : restored(value);
  }
}
