import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { type RemoteFlags, remoteOptions, remoteV1Flags } from "../flags/remote-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import type { V1Flags } from "../flags/v1-flags.ts";
import { jsonText } from "../output/json-text.ts";
import { Progress } from "../output/progress.ts";

interface InspectFlags extends RemoteFlags, V1Flags {
  readonly source?: string | undefined;
  readonly image?: string[] | undefined;
}

export function inspectCommand(context: Context): CommandModule<object, InspectFlags> {
  return {
    command: "inspect <source>",
    describe: "show the images of an archive, or an image in a registry",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("source", { type: "string", describe: "image archive or folder, - for stdin, or reference" })
          .option("image", {
            type: "string",
            array: true,
            requiresArg: true,
            nargs: 1,
            describe: "show only this image of an archive, by name or digest (default: all images)",
          }),
      ),
    handler: async flags => {
      refuseTypedArchive(flags.source ?? "", "inspect");
      const options = await remoteOptions(flags, context, [flags.source ?? ""]);
      const progress = new Progress(context, flags, "Reading");
      const { inspect, inspectOrList } = await import("../../verbs/inspect.ts");
      const look = flags.json ? inspect : inspectOrList;
      const given = { ...options, image: flags.image, onProgress: progress.onProgress };
      const result = await look(flags.source ?? "", given).finally(() => progress.end());
      if (flags.json) return printLine(context, jsonText(result));
      if (result.kind === "listing") {
        const { listingLines } = await import("../output/listing-lines.ts");
        for (const line of listingLines(result)) printLine(context, line);
        return progress.note("--image NAME shows one of them in detail");
      }
      const { inspectionLines } = await import("../output/inspection-lines.ts");
      for (const line of inspectionLines(result)) printLine(context, line);
    },
  };
}
