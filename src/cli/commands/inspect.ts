import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { type OutputFlags, outputFlags, type RegistryFlags, registryFlags, registryOptions } from "../flags/options.ts";

interface InspectFlags extends RegistryFlags, OutputFlags {
  readonly source?: string | undefined;
}

export function inspectCommand(context: Context): CommandModule<object, InspectFlags> {
  return {
    command: "inspect <source>",
    describe: "show what an archive or a reference holds",
    builder: parser =>
      outputFlags(registryFlags(parser.positional("source", { type: "string", describe: "archive or reference" }))),
    handler: async flags => {
      const options = await registryOptions(flags);
      const { inspect } = await import("../../index.ts");
      const result = await inspect(flags.source ?? "", {
        ...options,
        registry: flags.registry,
        onNote: text => {
          if (!flags.quiet) context.stderr.write(`${text}\n`);
        },
        signal: context.signal,
      });
      if (flags.json) return printLine(context, JSON.stringify(result));
      const { inspectionLines } = await import("../output/inspection-lines.ts");
      for (const line of inspectionLines(result)) printLine(context, line);
    },
  };
}
