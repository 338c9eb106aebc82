import yargs from "yargs";
import { VERSION } from "../util/version.ts";
import { convertCommand } from "./commands/convert.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { pullCommand } from "./commands/pull.ts";
import { pushCommand } from "./commands/push.ts";
import { serveCommand } from "./commands/serve.ts";
import { verifyCommand } from "./commands/verify.ts";
import { renderError } from "./render-error.ts";
import type { Session } from "./session.ts";
import { withSignals } from "./signals.ts";
import { checkValues, listed, usageFault } from "./usage-fault.ts";

const COMMANDS = ["push", "pull", "inspect", "verify", "doctor", "convert", "import", "serve"] as const;

/** Stands for `-` while yargs reads the words: it loses one that is a positional. */
const LONE_DASH = "\u0000-";

/**
 * Runs one command line.
 *
 * @returns the exit code: README, "Exit codes".
 */
export async function main(
  words: readonly string[],
  session: Session = { stdout: process.stdout, stderr: process.stderr },
): Promise<number> {
  const isJson = words.includes("--json");
  const isVerbose = words.includes("--verbose");
  // For good: the fault of the last line comes when this call is over.
  if (!session.stderr.listeners("error").includes(ignoreClosedPipe)) session.stderr.on("error", ignoreClosedPipe);
  try {
    await withSignals(async signal => {
      const context = { ...session, signal };
      await yargs(words.map(word => (word === "-" ? LONE_DASH : word)))
        .scriptName("imgpack")
        .detectLocale(false)
        .usage("$0 COMMAND\n\nMoves container images across air gaps.")
        .command(pushCommand(context))
        .command(pullCommand(context))
        .command(inspectCommand(context))
        .command(verifyCommand(context))
        .command(doctorCommand(context))
        .command(convertCommand(context))
        .command(importCommand(context))
        .command(serveCommand(context))
        .demandCommand(1, `Cannot run: no command named, expected ${listed(COMMANDS)}`)
        .middleware(restoreDashes)
        .middleware(flags => checkValues(flags, String(flags._[0])))
        .strict()
        .version(VERSION)
        .alias("h", "help")
        .parserConfiguration({ "boolean-negation": false })
        .exitProcess(false)
        .fail((message, error) => {
          throw isParserError(error) || error === undefined
            ? usageFault(message ?? error?.message, words, COMMANDS)
            : error;
        })
        .parseAsync();
    });
    return 0;
  } catch (error) {
    return renderError(error, session, { isJson, isVerbose });
  }
}

function restoreDashes(flags: Record<string, unknown>): void {
  const restored = (value: unknown): unknown => (value === LONE_DASH ? "-" : value);
  for (const [name, value] of Object.entries(flags)) {
    flags[name] = Array.isArray(value) ? value.map(restored) : restored(value);
  }
}

function isParserError(error: Error | undefined): boolean {
  return error?.name === "YError";
}

/** Nobody listens to the progress any more: no reason to stop a push. */
function ignoreClosedPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
