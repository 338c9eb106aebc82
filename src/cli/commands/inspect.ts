import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { type RemoteFlags, remoteFlags, remoteOptions } from "../flags/remote-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { jsonText } from "../output/json-text.ts";
import { Progress } from "../output/progress.ts";

interface InspectFlags extends RemoteFlags {
  readonly source?: string | undefined;
}

export function inspectCommand(context: Context): CommandModule<object, InspectFlags> {
  return {
    command: "inspect <source>",
    describe: "show the images of an archive, or an image in a registry",
    builder: parser =>
      remoteFlags(
        parser.positional("source", { type: "string", describe: "image archive or folder, - for stdin, or reference" }),
      ),
    handler: async flags => {
      refuseTypedArchive(flags.source ?? "", "inspect");
      const options = await remoteOptions(flags, context, [flags.source ?? ""]);
      const progress = new Progress(context, flags, "Reading");
      const { inspect } = await import("../../verbs/inspect.ts");
      const result = await inspect(flags.source ?? "", { ...options, onProgress: progress.onProgress }).finally(() =>
        progress.end(),
      );
      if (flags.json) return printLine(context, jsonText(result));
      const { inspectionLines } = await import("../output/inspection-lines.ts");
      for (const line of inspectionLines(result)) printLine(context, line);
    },
  };
}
