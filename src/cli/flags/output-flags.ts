import type { Argv } from "yargs";

/** Flags of every command: how it reports. */
export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly progress?: string | undefined;
  readonly log?: string | undefined;
}

export function outputFlags<T>(parser: Argv<T>): Argv<T & OutputFlags> {
  return parser
    .option("json", { group: "Output", type: "boolean", describe: "print the result as one JSON object on stdout" })
    .option("quiet", {
      alias: "q",
      group: "Output",
      type: "boolean",
      describe: "print no progress and no notes on stderr",
    })
    .option("verbose", {
      alias: "v",
      group: "Output",
      type: "boolean",
      describe: "print details, and the causes of an error",
    })
    .option("progress", {
      group: "Output",
      requiresArg: true,
      choices: ["auto", "plain", "json", "none"],
      describe: "style of the progress on stderr (default auto: totals and blobs on a terminal, else plain)",
    })
    .option("log", {
      group: "Output",
      type: "string",
      requiresArg: true,
      describe: "file to append all events to, as lines of JSON (default none)",
    });
}
