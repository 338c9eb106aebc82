import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { type Context, printLine } from "../context.ts";
import { cacheFolder } from "../flags/cache-folder.ts";
import { checkConcurrency, registryOptions, type TransferFlags, transferFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";

interface CopyFlags extends TransferFlags {
  readonly references?: string[] | undefined;
  readonly to?: string | undefined;
  readonly platform?: string[] | undefined;
}

export function copyCommand(context: Context): CommandModule<object, CopyFlags> {
  return {
    command: "copy <references..>",
    describe: "copy an image from registry to registry, its digest kept",
    builder: parser =>
      transferFlags(
        parser
          .positional("references", { type: "string", array: true, describe: "source and target; with --to, sources" })
          .option("to", { type: "string", requiresArg: true, describe: "host/prefix for all of them" })
          .option("platform", {
            type: "string",
            array: true,
            requiresArg: true,
            describe: "os/arch[/variant] or all (all)",
          })
          .example("$0 copy quay.io/team/app:2 registry.lan:5000/team/app", "all platforms, same digest")
          .example("$0 copy quay.io/a:1 quay.io/b:2 --to registry.lan:5000/mirror", "several, names kept"),
      ),
    handler: async flags => {
      const words = flags.references ?? [];
      const [source = "", target] = words;
      if (flags.to === undefined && (target === undefined || words.length > 2)) {
        throw new UsageError(
          `Cannot copy: ${words.length} names given, expected source and target, or --to HOST/PREFIX`,
        );
      }
      const connection = await registryOptions(flags);
      const progress = createProgress(context, flags, "Copying");
      const { copy, copyTo } = await import("../../index.ts");
      const options = {
        ...connection,
        registry: flags.registry,
        defaultRegistry: process.env["IMGPACK_REGISTRY"] || undefined,
        platforms: flags.platform?.flatMap(text => text.split(",")),
        concurrency: checkConcurrency(flags.concurrency),
        cacheFolder: cacheFolder(),
        dryRun: flags.dryRun,
        onProgress: progress.onProgress,
        signal: context.signal,
      };
      try {
        const result =
          flags.to === undefined ? await copy(source, target ?? "", options) : await copyTo(words, flags.to, options);
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        for (const { reference, digest, previousDigest } of result.images) {
          printLine(context, `${reference}@${digest}`);
          if (previousDigest !== undefined) progress.note(`${reference}: ${previousDigest} → ${digest}`);
        }
        if (!flags.dryRun) progress.summary(result);
      } finally {
        progress.end();
      }
    },
  };
}
