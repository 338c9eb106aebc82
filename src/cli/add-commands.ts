import type { Argv } from "yargs";
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
import { completionCommand } from "./completion/completion.ts";
import type { Context } from "./context.ts";

/** The commands, in the order of the help. */
export const COMMAND_NAMES = [
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

export function addCommands(parser: Argv, context: Context): Argv {
  return parser
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
    .command(completionCommand(context));
}
