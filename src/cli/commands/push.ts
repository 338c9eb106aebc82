import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { type Context, printLine } from "../context.ts";
import { cacheFolder } from "../flags/cache-folder.ts";
import { type ListFlags, listedInputs, listFlags, withFailedList } from "../flags/failed-list.ts";
import { checkConcurrency, registryOptions, type TransferFlags, transferFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";

interface PushFlags extends TransferFlags, ListFlags {
  readonly archives?: string[] | undefined;
  readonly to?: string | undefined;
  readonly tag?: string[] | undefined;
  readonly image?: string[] | undefined;
  readonly compression?: string | undefined;
  readonly sparse?: "prune" | "keep" | "fail" | undefined;
}

export function pushCommand(context: Context): CommandModule<object, PushFlags> {
  return {
    command: "push [archives..]",
    describe: "push image archives to a registry",
    builder: parser =>
      listFlags(
        transferFlags(
          parser
            .positional("archives", {
              type: "string",
              array: true,
              describe: "image archives, folders, or - for stdin",
            })
            .option("to", { type: "string", describe: "HOST/PREFIX to put every image below" })
            .option("tag", {
              type: "string",
              array: true,
              requiresArg: true,
              describe: "name for the one image pushed; below --to where it names no registry",
            })
            .option("image", {
              type: "string",
              array: true,
              requiresArg: true,
              describe: "push only the image of this name",
            })
            .option("compression", { type: "string", describe: "raw layers: auto, keep, gzip or gzip:1 to gzip:12" })
            .option("sparse", {
              requiresArg: true,
              choices: ["prune", "keep", "fail"] as const,
              describe: "indexes that name absent platforms",
            })
            .example(
              "$0 push hello.tar.gz --registry registry.lan:5000",
              "every image of the archive, under its own name",
            ),
        ),
        "archives",
      ),
    handler: async flags => {
      const options = await registryOptions(flags);
      const progress = createProgress(context, flags, "Pushing");
      const { push } = await import("../../index.ts");
      try {
        const archives = await listedInputs(flags.archives, flags, "push");
        checkStdin(archives, flags);
        const result = await withFailedList(
          flags,
          archives,
          async () =>
            await push(archives, {
              ...options,
              registry: flags.registry,
              defaultRegistry: process.env["IMGPACK_REGISTRY"],
              to: flags.to,
              tags: flags.tag,
              images: flags.image,
              compression: flags.compression,
              sparse: flags.sparse,
              concurrency: checkConcurrency(flags.concurrency),
              cacheFolder: cacheFolder(),
              dryRun: flags.dryRun,
              onProgress: progress.onProgress,
              signal: context.signal,
            }),
        );
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        for (const { reference, digest, previousDigest } of result.images) {
          printLine(context, digest === undefined ? reference : `${reference}@${digest}`);
          if (previousDigest !== undefined) progress.note(`${reference}: ${previousDigest} → ${digest}`);
        }
        if (!flags.dryRun) progress.summary(result);
      } finally {
        progress.end();
      }
    },
  };
}

function checkStdin(archives: readonly string[], { passwordStdin }: PushFlags): void {
  const times = archives.filter(path => path === "-").length + (passwordStdin === true ? 1 : 0);
  if (times < 2) return;
  throw new UsageError("Cannot read stdin twice: an archive or a password comes out of it, expected one thing only");
}
