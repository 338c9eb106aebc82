import type { CommandModule } from "yargs";
import { NotFoundError } from "../../../errors.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteOptions } from "../../flags/remote-flags.ts";
import { ReportedError } from "../../output/render-error.ts";

interface ExistsFlags extends RemoteFlags {
  readonly reference?: string | undefined;
}

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
      // "No" is an answer: it has an exit code, but no message.
      if (!isThere) throw new ReportedError(new NotFoundError(""));
    },
  };
}
