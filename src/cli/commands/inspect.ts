import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RemoteOptions } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { mappingFlags } from "../flags/mapping-flags.ts";
import { type RemoteFlags, remoteRun, remoteV1Flags } from "../flags/remote-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import type { V1Flags } from "../flags/v1-flags.ts";
import { resultJson } from "../output/result-json.ts";
import type { Progress } from "../progress/progress.ts";
import { viewOf, wrappedLines } from "../screen/view.ts";
import { checkReportFlags, type ReportFlags, writeTransferReport } from "./inspect-report.ts";

interface InspectFlags extends RemoteFlags, V1Flags, ReportFlags {
  readonly image?: string[] | undefined;
}

export function inspectCommand(context: Context): CommandModule<object, InspectFlags> {
  return {
    command: "inspect <sources..>",
    describe: "show the images of archives, or an image in a registry",
    builder: parser =>
      mappingFlags(
        remoteV1Flags(
          parser
            .positional("sources", {
              type: "string",
              array: true,
              describe:
                "image archive or folder, - for stdin, or reference; or several archives that are one source; with --base also a lock",
            })
            .option("image", {
              type: "string",
              array: true,
              requiresArg: true,
              nargs: 1,
              describe: "show only this image of an archive, by name or digest (default: all images)",
            })
            .option("base", {
              type: "string",
              array: true,
              requiresArg: true,
              nargs: 1,
              describe:
                "archive, folder, lock, or HOST[:PORT][/PREFIX] of a registry: show what is new compared with it (default none)",
            })
            .option("report", {
              type: "string",
              requiresArg: true,
              describe: "write a report for the transfer desk to this .html, .csv or .json file (default: no file)",
            })
            .option("key", {
              type: "string",
              array: true,
              requiresArg: true,
              nargs: 1,
              describe: "public key: the report says what it signed, and what is damaged (default: not checked)",
            })
            .example("$0 inspect next.lock --base site.lock", "what has to be carried next month")
            .example("$0 inspect site.v*.tar --base last.lock --report transfer.html", "what the transfer desk signs"),
        ),
        "in a registry of --base",
      ),
    handler: async flags => {
      const { sources = [], base = [] } = flags;
      for (const path of [...sources, ...base]) refuseTypedArchive(path, "inspect");
      checkFlags(flags);
      checkReportFlags(flags, flags.image);
      const { options, progress } = await remoteRun(flags, context, [...sources, ...base]);
      if (flags.report !== undefined) {
        return await writeTransferReport(flags, flags.report, context, options, progress);
      }
      if (flags.base !== undefined) return await compare(flags, context, options, progress);
      const { inspect, inspectOrList } = await import("../../verbs/inspect.ts");
      const look = flags.json ? inspect : inspectOrList;
      const given = { ...options, image: flags.image };
      const result = await look(sources, given).finally(() => progress.end());
      context.log?.result(result);
      const view = viewOf(context.stdout);
      if (result.kind === "listing") {
        const { listingLines } = await import("../output/tables/listing-lines.ts");
        for (const line of wrappedLines(listingLines(result, view), view, 2)) printLine(context, line);
        return progress.note("--image NAME shows one of them in detail");
      }
      if (flags.json) return printLine(context, resultJson("inspect", result));
      const { inspectionLines } = await import("../output/inspection-lines.ts");
      for (const line of wrappedLines(inspectionLines(result, view), view)) printLine(context, line);
    },
  };
}

async function compare(
  { sources = [], base = [], layout, map, json }: InspectFlags,
  context: Context,
  options: RemoteOptions,
  progress: Progress,
): Promise<void> {
  const { compareWithBase } = await import("../../verbs/base/compare-with-base.ts");
  const given = { ...options, base, layout, map };
  const result = await compareWithBase(sources, given).finally(() => progress.end());
  context.log?.result(result);
  const { comparisonLines, comparisonNotes } = await import("../output/tables/comparison-lines.ts");
  for (const note of comparisonNotes(result)) progress.note(note);
  if (json) return printLine(context, resultJson("inspect", result));
  const view = viewOf(context.stdout);
  for (const line of wrappedLines(comparisonLines(result, view), view, 2)) printLine(context, line);
}

/** @throws UsageError for flags that mean nothing with or without `--base`. */
function checkFlags({ sources = [], base, image, layout, map }: InspectFlags): void {
  if (base === undefined && (layout !== undefined || map !== undefined)) {
    const flag = layout === undefined ? "--map" : "--layout";
    throw new UsageError(`Cannot use ${flag}: no base named, expected --base HOST[/PREFIX]`);
  }
  if (base === undefined || image === undefined) return;
  throw new UsageError(
    `Cannot use --image to compare ${sources.map(quote).join(" and ")}: found a choice of images, expected all`,
    {
      hint: "Leave out --image, or --base.",
    },
  );
}
