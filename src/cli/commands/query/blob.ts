import type { Writable } from "node:stream";
import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { formatBytes } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteRun } from "../../flags/remote-flags.ts";
import { resultJson } from "../../output/result-json.ts";

interface BlobFlags extends RemoteFlags {
  readonly reference?: string | undefined;
  readonly output: string;
}

export function blobCommand(context: Context): CommandModule<object, BlobFlags> {
  return {
    command: "blob <reference>",
    describe: "download a layer or config by its digest",
    builder: parser =>
      remoteFlags(
        parser
          .positional("reference", { type: "string", describe: "registry/repository@sha256:…" })
          .option("output", {
            alias: "o",
            type: "string",
            demandOption: true,
            requiresArg: true,
            describe: "file to write, or - for stdout",
          })
          .example("$0 blob registry.lan:5000/app@sha256:… -o layer.tar.gz", "a layer")
          .example("$0 blob registry.lan:5000/app@sha256:… -o - | tar tzf -", "the files in it"),
      ),
    handler: async flags => {
      const output = blobOutput(flags.output, context, flags.json);
      const { options, progress } = await remoteRun(flags, context, [], "Pulling");
      const { blob } = await import("../../../verbs/query/blob.ts");
      try {
        const result = await blob(flags.reference ?? "", { ...options, output });
        context.log?.result(result);
        progress.end();
        if (flags.json) return printLine(context, resultJson("blob", result));
        if (typeof output === "string") printLine(context, result.reference);
        progress.note(`Wrote ${formatBytes(result.size)} to ${result.output}`);
      } finally {
        progress.end();
      }
    },
  };
}

function blobOutput(word: string, { stdout }: Context, isJson: boolean | undefined): string | Writable {
  if (word !== "-") return word;
  if (isJson === true) throw new UsageError("Cannot use --json: stdout is the blob, expected only one of them");
  if ("isTTY" in stdout && stdout.isTTY === true) {
    throw new UsageError("Cannot write blob to stdout: it is a terminal, expected a pipe or a file");
  }
  return stdout as Writable;
}
