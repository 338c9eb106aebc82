import yargs from "yargs";
import { InternalError } from "../errors.ts";
import { errorCode } from "../util/error-code.ts";
import { VERSION } from "../util/version.ts";
import { addCommands, COMMAND_NAMES } from "./add-commands.ts";
import { complete } from "./completion/completion.ts";
import { type Context, type OutputStreams, printLine } from "./context.ts";
import { checkOutputs } from "./output/output-files.ts";
import { renderError } from "./output/render-error.ts";
import { withSignals } from "./signals.ts";
import { checkValues, NO_COMMAND, usageError } from "./usage-error.ts";

export { endSoonAfter } from "./signals.ts";

/** Replaces `-` while yargs parses: yargs drops a positional argument that is `-`. */
const LONE_DASH = "\u0000-";

/**
 * Runs one command line.
 *
 * @returns the exit code: README, "Exit codes".
 */
export async function main(
  words: readonly string[],
  streams: OutputStreams = { stdout: process.stdout, stderr: process.stderr },
): Promise<number> {
  // Never removed: the error of the last write can arrive after this call.
  if (!streams.stderr.listeners("error").includes(ignoreClosedPipe)) streams.stderr.on("error", ignoreClosedPipe);
  const rendering = { isJson: words.includes("--json"), isVerbose: words.includes("--verbose") };
  // With nothing left to wait for, Node would end with code 13 and without a message.
  const onStuck = (): void => {
    const error = new InternalError("Cannot finish: nothing is left to wait for, expected the command to end", {
      hint: "This is a bug in imgpack: please report it with the command that you ran.",
    });
    process.exit(renderError(error, streams, rendering));
  };
  process.once("beforeExit", onStuck);
  const command = COMMAND_NAMES.find(name => name === words[0]);
  try {
    await withSignals(command, async signal => await run(words, { ...streams, signal }));
    return 0;
  } catch (error) {
    return renderError(error, streams, { ...rendering, command });
  } finally {
    process.off("beforeExit", onStuck);
  }
}

async function run(words: readonly string[], context: Context): Promise<void> {
  const spoken = words.map(word => (word === "-" ? LONE_DASH : word));
  const parser = yargs(spoken)
    .scriptName("imgpack")
    .detectLocale(false)
    .usage("$0 COMMAND\n\nMoves container images across air gaps.");
  await addCommands(parser, context)
    .completion("completion-of-yargs", false, complete)
    .demandCommand(1, NO_COMMAND)
    .middleware(restoreDashes)
    .middleware(checkValues)
    .middleware(checkOutputs)
    .strict()
    .version("version", "print the version", VERSION)
    .help("help", "print this help")
    .alias("h", "help")
    .parserConfiguration({ "boolean-negation": false })
    .exitProcess(false)
    .fail((message, error) => {
      const isOfParser = error === undefined || error.name === "YError";
      throw isOfParser ? usageError(message ?? error?.message, words, COMMAND_NAMES) : error;
    })
    // Given a callback, yargs does not print with console.log, which takes a full disk for success in some runtimes.
    .parseAsync(spoken, {}, (_error, _flags, output) => {
      if (output !== "") printLine(context, output);
    });
}

function restoreDashes(flags: Record<string, unknown>): void {
  const restored = (value: unknown): unknown => (value === LONE_DASH ? "-" : value);
  for (const [name, value] of Object.entries(flags)) {
    flags[name] = Array.isArray(value) ? value.map(restored) : restored(value);
  }
}

/** A reader of stderr that has gone is no reason to stop a push. */
function ignoreClosedPipe(error: Error): void {
  if (errorCode(error) !== "EPIPE") throw error;
}
