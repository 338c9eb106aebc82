import { InternalError, UsageError } from "../errors.ts";
import { COMPLETE } from "./completion/scripts/complete-word.ts";
import type { Context, OutputStreams } from "./context.ts";
import { helpRequest } from "./help/help-request.ts";
import { COMMAND_NAMES, type CommandName, loadCommand, loadCommands } from "./load-command.ts";
import { RunLog } from "./log/run-log.ts";
import { checkLog, checkOutputs, logFile } from "./output/output-files.ts";
import { describeError, HUB_COMMAND_NAMES, renderError } from "./output/render-error.ts";
import { clearBlocks } from "./screen/terminal-block.ts";
import { withSignals } from "./signals.ts";
import { parseWords } from "./words/parse-words.ts";
import { renderingOf } from "./words/rendering-of.ts";
import { definitionsOf } from "./words/word-definitions.ts";

export { endSoonAfter } from "./signals.ts";

/**
 * Runs one command line.
 *
 * @returns the exit code: README, "Exit codes".
 */
export async function main(
  words: readonly string[],
  streams: OutputStreams = { stdout: process.stdout, stderr: process.stderr },
): Promise<number> {
  if (words[0] === COMPLETE) {
    const { answerCompletion } = await import("./completion/answer/answer-completion.ts");
    await answerCompletion(words.slice(1), streams);
    return 0;
  }
  // Never removed: the error of the last write can arrive after this call.
  if (!streams.stderr.listeners("error").includes(ignoreError)) streams.stderr.on("error", ignoreError);
  const rendering = renderingOf(words);
  // With nothing left to wait for, Node would end with code 13 and without a message.
  const onStuck = (): void => {
    const error = new InternalError("Cannot finish: nothing is left to wait for, expected the command to end", {
      hint: "This is a bug in imgpack: please report it with the command that you ran.",
    });
    log.endNow(error.exitCode);
    clearBlocks();
    process.exit(renderError(error, streams, rendering));
  };
  const log = new RunLog(words, streams.stderr);
  process.once("beforeExit", onStuck);
  const asked = helpRequest(words);
  // What a message is about.
  const line = asked ?? words;
  const command = commandOf(line);
  try {
    const task = async (signal: AbortSignal): Promise<void> => {
      signal.addEventListener("abort", () => log.flush(), { once: true });
      const context = { ...streams, signal, log };
      if (words.length === 0) await refuseNothing(context);
      if (asked !== undefined && (await isHelpPrinted(asked, streams.stdout))) return;
      await run(line, context, log);
    };
    await withSignals(command, task, exitCode => {
      log.endNow(exitCode);
      clearBlocks();
    });
    await log.end(0);
    return 0;
  } catch (error) {
    const named = commandWithHelp(command, line[1]);
    const advice = await adviceOn(describeError(error, named).error, words);
    const exitCode = renderError(error, streams, { ...rendering, command: named, advice });
    await log.end(exitCode, describeError(error, named, advice).printed);
    return exitCode;
  } finally {
    process.off("beforeExit", onStuck);
  }
}

/** False if there is no such page: running the words then says what is wrong with them. */
async function isHelpPrinted(words: readonly string[], stream: OutputStreams["stdout"]): Promise<boolean> {
  return await (await import("./help/print-help.ts")).printHelp(words, stream);
}

/** @throws UsageError after the list of commands. */
async function refuseNothing({ stderr }: OutputStreams): Promise<never> {
  await isHelpPrinted([], stderr);
  stderr.write("\n");
  throw new UsageError("Cannot run: no command named, expected one of these", {
    hint: 'Name one, or see "imgpack help COMMAND".',
  });
}

async function run(words: readonly string[], context: Context, log: RunLog): Promise<void> {
  const command = commandOf(words);
  if (command !== undefined) {
    const loaded = await loadCommand(command, context);
    const definitions = definitionsOf(loaded);
    const flags = definitions && parseWords(words, definitions);
    if (flags !== undefined) {
      await checkOutputs(flags);
      await openLog(log, command, flags);
      return await loaded.handler(flags);
    }
  }
  const { runWithYargs } = await import("./words/run-with-yargs.ts");
  await runWithYargs(words, await loadCommands(context), context, async flags => await openLog(log, command, flags));
}

function commandOf([word]: readonly string[]): CommandName | undefined {
  return COMMAND_NAMES.find(name => name === word);
}

async function openLog(
  log: RunLog,
  command: CommandName | undefined,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const file = logFile(command, flags);
  if (file === undefined) return;
  await checkLog(file, flags);
  await log.open(file, flags["shard"]);
}

/** Loaded when there is an error: most runs have none. */
async function adviceOn(error: unknown, words: readonly string[]): Promise<string | undefined> {
  const { adviceFor } = await import("./advice/advice-for.ts");
  return await adviceFor(error, words);
}

/** As it is written before `--help`. */
function commandWithHelp(command: CommandName | undefined, word: string | undefined): string | undefined {
  const own = command === "hub" ? HUB_COMMAND_NAMES.find(name => name === word) : undefined;
  return own === undefined ? command : `${command} ${own}`;
}

/** A reader of stderr that has gone, or a full disk behind it, is no reason to stop a push. */
function ignoreError(): void {
  // There is nowhere left to tell it: the exit code stays that of the run.
}
