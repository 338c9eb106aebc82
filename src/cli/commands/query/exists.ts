import type { CommandModule } from "yargs";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteOptions } from "../../flags/remote-flags.ts";

interface ExistsFlags extends RemoteFlags {
  readonly reference?: string | undefined;
}

const NOT_FOUND = 5;

export function existsCommand(context: Context): CommandModule<object, ExistsFlags> {
  return {
    command: "exists <reference>",
    describe: "tell by the exit code whether a registry has an image: 0 yes, 5 no",
    builder: parser =>
      remoteFlags(parser.positional("reference", { type: "string", describe: "registry/repository:tag or @digest" })),
    handler: async flags => {
      const options = await remoteOptions(flags, context);
      const { exists } = await import("../../../index.ts");
      const reference = flags.reference ?? "";
      const isThere = await exists(reference, options);
      if (flags.json) printLine(context, JSON.stringify({ reference, exists: isThere }));
      if (!isThere) throw absent();
    },
  };
}

/** "No" is an answer: nothing is said but by the exit code. */
function absent(): Error {
  return Object.assign(new Error(""), { code: "ERR_NOT_FOUND", exitCode: NOT_FOUND, isReported: true });
}
