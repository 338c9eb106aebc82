import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { fromFileFlag, guessFlag, type ListFlags, listedReferences } from "../flags/list-flags.ts";
import { type RemoteFlags, remoteFlags } from "../flags/remote-flags.ts";
import { printReferences } from "../output/reference-lines.ts";

interface LockFlags extends RemoteFlags, ListFlags {
  readonly references?: string[] | undefined;
  readonly list?: boolean | undefined;
}

export function lockCommand(context: Context): CommandModule<object, LockFlags> {
  return {
    command: "lock [references..]",
    describe: "list the images that files name",
    builder: parser => lockFlags(guessFlag(fromFileFlag(remoteFlags(parser), "references"))),
    handler: async flags => await runLock(flags, context),
  };
}

function lockFlags<T>(parser: Argv<T>) {
  return parser
    .positional("references", { type: "string", array: true, describe: "images: registry/repository:tag or @digest" })
    .option("list", { type: "boolean", describe: "print the references and where they were found; ask no registry" })
    .example("$0 lock --list -f chart.yaml", "what a chart names, as a list for -f");
}

async function runLock(flags: LockFlags, context: Context): Promise<void> {
  if (flags.list !== true) throw new UsageError("Cannot run lock: no --list given, expected it");
  await printReferences(context, await listedReferences(flags.references, flags, "lock", context.signal), flags);
}
