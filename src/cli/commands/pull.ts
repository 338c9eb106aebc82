import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { type ArchiveFlags, archiveFlags, archiveOutput, printImages } from "../flags/archive-flags.ts";
import { type ListFlags, listedInputs, listFlags, withFailedList } from "../flags/failed-list.ts";
import { checkConcurrency, registryOptions, type TransferFlags, transferFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";

interface PullFlags extends TransferFlags, ArchiveFlags, ListFlags {
  readonly keepGoing?: boolean | undefined;
  readonly references?: string[] | undefined;
  readonly output: string;
  readonly mirror?: string[] | undefined;
  readonly restart?: boolean | undefined;
}

export function pullCommand(context: Context): CommandModule<object, PullFlags> {
  return {
    command: "pull [references..]",
    describe: "pull images into one archive that every runtime loads",
    builder: parser =>
      listFlags(
        transferFlags(
          archiveFlags(
            parser
              .positional("references", {
                type: "string",
                array: true,
                describe: "images: registry/repository:tag or @digest",
              })
              .option("output", {
                alias: "o",
                type: "string",
                demandOption: true,
                requiresArg: true,
                describe: "file to write, FOLDER/ for an OCI layout, - for stdout",
              })
              .option("mirror", {
                type: "string",
                array: true,
                requiresArg: true,
                nargs: 1,
                describe: "HOST[/PATH] to try before the registry itself",
              })
              .option("restart", {
                type: "boolean",
                describe: "begin afresh where a run that broke off left an unfinished file",
              })
              .option("keep-going", { type: "boolean", describe: "leave out images that cannot be had; exit code 10" }),
          )
            .example("$0 pull registry.lan:5000/hello:latest -o out.tar", "one image, for this machine's architecture")
            .example("$0 pull registry.lan:5000/hello:latest -o - | docker load", "without a file in between"),
        ),
        "references",
      ),
    handler: async flags => {
      const output = archiveOutput(flags.output, context, flags.json);
      const options = await registryOptions(flags);
      const progress = createProgress(context, flags, "Pulling");
      const { pull } = await import("../../index.ts");
      try {
        const references = await listedInputs(flags.references, flags, "pull");
        const result = await withFailedList(
          flags,
          references,
          async () =>
            await pull(references, {
              keepGoing: flags.keepGoing,
              ...options,
              output,
              registry: flags.registry,
              mirrors: flags.mirror,
              restart: flags.restart,
              platforms: flags.platform?.flatMap(text => text.split(",")),
              layers: flags.layers,
              loader: flags.for,
              concurrency: checkConcurrency(flags.concurrency),
              dryRun: flags.dryRun,
              onProgress: progress.onProgress,
              signal: context.signal,
            }),
        );
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        printImages(context, result, progress.note);
        if (!flags.dryRun) progress.summary(result);
      } finally {
        progress.end();
      }
    },
  };
}
