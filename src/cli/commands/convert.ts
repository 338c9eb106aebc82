import type { CommandModule } from "yargs";
import { formatBytes } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { type ArchiveFlags, archiveFlags, archiveOutput, printImages } from "../flags/archive-flags.ts";
import { checkConcurrency, type OutputFlags, outputFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";

interface ConvertFlags extends OutputFlags, ArchiveFlags {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly format?: string | undefined;
  readonly image?: string[] | undefined;
  readonly tag?: string[] | undefined;
  readonly sparse?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export function convertCommand(context: Context): CommandModule<object, ConvertFlags> {
  return {
    command: "convert <input> <output>",
    describe: "write the images of an archive in another form, offline",
    builder: parser =>
      outputFlags(
        archiveFlags(
          parser
            .positional("input", { type: "string", describe: "image archive" })
            .positional("output", {
              type: "string",
              describe: "file to write, FOLDER/ for an OCI layout, - for stdout",
            })
            // So that "-" is a value, and not the beginning of a flag.
            .nargs({ input: 1, output: 1 })
            .option("format", {
              requiresArg: true,
              choices: ["universal", "oci", "docker"],
              describe: "form of the archive (universal)",
            })
            .option("image", {
              type: "string",
              array: true,
              requiresArg: true,
              describe: "write only the image of this name",
            })
            .option("tag", { type: "string", array: true, requiresArg: true, describe: "new name of the one image" })
            .option("sparse", {
              requiresArg: true,
              choices: ["prune", "keep", "fail"],
              describe: "an index that names more than is there (prune)",
            })
            .option("concurrency", { type: "number", requiresArg: true, describe: "blobs at once (6)" })
            .option("dry-run", { type: "boolean", describe: "plan only" }),
        ).example("$0 convert hello.tar hello/", "as an OCI layout"),
      ),
    handler: async flags => {
      const output = archiveOutput(flags.output ?? "", context, flags.json);
      const progress = createProgress(context, flags, "Converting");
      const { convert } = await import("../../index.ts");
      try {
        const result = await convert(flags.input ?? "", {
          output,
          format: flags.format,
          platforms: flags.platform?.flatMap(text => text.split(",")),
          layers: flags.layers,
          loader: flags.for,
          images: flags.image,
          tags: flags.tag,
          sparse: flags.sparse,
          concurrency: checkConcurrency(flags.concurrency),
          dryRun: flags.dryRun,
          onProgress: progress.onProgress,
          signal: context.signal,
        });
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        printImages(context, result, progress.note);
        if (flags.dryRun) return;
        const { blobs, blobBytes, format, seconds } = result;
        progress.note(
          `Wrote ${blobs} blobs, ${formatBytes(blobBytes)}, to ${result.output} in ${seconds.toFixed(1)} s (${format})`,
        );
      } finally {
        progress.end();
      }
    },
  };
}
