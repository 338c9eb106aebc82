import type { CommandModule } from "yargs";
import { checkConcurrency, registryOptions, type TransferFlags, transferFlags } from "../options.ts";
import { createProgress } from "../progress.ts";
import { type Context, printLine } from "../session.ts";

interface PullFlags extends TransferFlags {
  readonly references?: string[] | undefined;
  readonly output: string;
  readonly platform?: string[] | undefined;
}

export function pullCommand(context: Context): CommandModule<object, PullFlags> {
  return {
    command: "pull <references..>",
    describe: "pull images into one archive that every runtime loads",
    builder: parser =>
      transferFlags(
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
            describe: "file to write",
          })
          .option("platform", { type: "string", array: true, requiresArg: true, describe: "os/arch[/variant] or all" })
          .example("$0 pull registry.lan:5000/hello:latest -o out.tar", "one image, for this machine's architecture"),
      ),
    handler: async flags => {
      const options = await registryOptions(flags);
      const progress = createProgress(context, flags, "Pulling");
      const { pull } = await import("../../index.ts");
      try {
        const result = await pull(flags.references ?? [], {
          ...options,
          output: flags.output,
          registry: flags.registry,
          platforms: flags.platform?.flatMap(text => text.split(",")),
          concurrency: checkConcurrency(flags.concurrency),
          dryRun: flags.dryRun,
          onProgress: progress.onProgress,
          signal: context.signal,
        });
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        for (const { names, digest } of result.images) {
          for (const name of names.length === 0 ? [""] : names) printLine(context, `${name}@${digest}`);
        }
        if (!flags.dryRun) progress.summary(result);
      } finally {
        progress.end();
      }
    },
  };
}
