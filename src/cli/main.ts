import yargs from "yargs";
import { errorCode } from "../util/error-code.ts";
import { VERSION } from "../util/version.ts";
import { convertCommand } from "./commands/convert.ts";
import { copyCommand } from "./commands/copy.ts";
import { deleteCommand } from "./commands/delete.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { loginCommand } from "./commands/login.ts";
import { logoutCommand } from "./commands/logout.ts";
import { pullCommand } from "./commands/pull.ts";
import { pushCommand } from "./commands/push.ts";
import { blobCommand } from "./commands/query/blob.ts";
import { catalogCommand } from "./commands/query/catalog.ts";
import { configCommand } from "./commands/query/config.ts";
import { digestCommand } from "./commands/query/digest.ts";
import { existsCommand } from "./commands/query/exists.ts";
import { latestCommand } from "./commands/query/latest.ts";
import { manifestCommand } from "./commands/query/manifest.ts";
import { pingCommand } from "./commands/query/ping.ts";
import { referrersCommand } from "./commands/query/referrers.ts";
import { tagsCommand } from "./commands/query/tags.ts";
import { serveCommand } from "./commands/serve.ts";
import { tagCommand } from "./commands/tag.ts";
import { verifyCommand } from "./commands/verify.ts";
import { complete, completionCommand } from "./completion/completion.ts";
import type { Session } from "./context.ts";
import { renderError } from "./output/render-error.ts";
import { withSignals } from "./signals.ts";
import { checkValues, NO_COMMAND, usageError } from "./usage-error.ts";

const COMMANDS = [
  "push",
  "pull",
  "inspect",
  "verify",
  "doctor",
  "convert",
  "import",
  "serve",
  "login",
  "logout",
  "tags",
  "latest",
  "catalog",
  "exists",
  "digest",
  "manifest",
  "config",
  "blob",
  "ping",
  "tag",
  "copy",
  "delete",
  "referrers",
  "completion",
] as const;

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
        .command(loginCommand(context))
        .command(logoutCommand(context))
        .command(tagsCommand(context))
        .command(latestCommand(context))
        .command(catalogCommand(context))
        .command(existsCommand(context))
        .command(digestCommand(context))
        .command(manifestCommand(context))
        .command(configCommand(context))
        .command(blobCommand(context))
        .command(pingCommand(context))
        .command(tagCommand(context))
        .command(copyCommand(context))
        .command(deleteCommand(context))
        .command(referrersCommand(context))
        .command(completionCommand(context))
        .completion("completion-of-yargs", false, complete)
        .demandCommand(1, NO_COMMAND)
        .middleware(restoreDashes)
        .middleware(flags => checkValues(flags))
        .strict()
        .version(VERSION)
        .alias("h", "help")
        .parserConfiguration({ "boolean-negation": false })
        .exitProcess(false)
        .fail((message, error) => {
          throw isParserError(error) || error === undefined
            ? usageError(message ?? error?.message, words, COMMANDS)
            : error;
        })
        .parseAsync();
    });
    return 0;
  } catch (error) {
    const command = COMMANDS.find(name => name === words[0]);
    return renderError(error, session, { isJson, isVerbose, command });
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
  if (errorCode(error) !== "EPIPE") throw error;
}
