import type { CommandModule } from "yargs";
import { NotFoundError } from "../../../errors.ts";
import { type Context, printLine } from "../../context.ts";
import { IMAGE_REFERENCE, type RemoteFlags, remoteFlags, remoteOptions } from "../../flags/remote-flags.ts";
import { jsonText } from "../../output/json-text.ts";
import { ReportedError } from "../../output/render-error.ts";

interface ExistsFlags extends RemoteFlags {
  readonly reference?: string | undefined;
}

export function existsCommand(context: Context): CommandModule<object, ExistsFlags> {
  return {
    command: "exists <reference>",
    describe: "check whether a registry has an image (exit code 0, or 5 if it has not)",
    builder: parser => remoteFlags(parser.positional("reference", { type: "string", describe: IMAGE_REFERENCE })),
    handler: async flags => {
      const options = await remoteOptions(flags, context);
      const { exists } = await import("../../../verbs/query/exists.ts");
      const reference = flags.reference ?? "";
      const isPresent = await exists(reference, options);
      if (flags.json) printLine(context, jsonText({ reference, exists: isPresent }));
      // "No" is an answer: it has an exit code, but no message.
      if (!isPresent) throw new ReportedError(new NotFoundError(""));
    },
  };
}
