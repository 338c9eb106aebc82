import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ArchiveFormat, Sparse } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import {
  ARCHIVE_OUTPUT,
  type ArchiveFlags,
  archiveFlags,
  archiveOutput,
  platformsOf,
  printImages,
  volumeOf,
} from "../flags/archive-flags.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { type SignFlags, signFlags, signOf } from "../flags/sign-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { checkConcurrency } from "../flags/transfer-flags.ts";
import { unwrittenText } from "../output/dry-run-text.ts";
import { resultJson } from "../output/result-json.ts";
import { writtenText } from "../output/written-text.ts";
import { Progress } from "../progress/progress.ts";

interface ConvertFlags extends OutputFlags, ArchiveFlags, SignFlags {
  readonly files?: string[] | undefined;
  readonly output?: string | undefined;
  readonly format?: ArchiveFormat | undefined;
  readonly image?: string[] | undefined;
  readonly tag?: string[] | undefined;
  readonly sparse?: Sparse | undefined;
  readonly restart?: boolean | undefined;
  readonly concurrency?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export function convertCommand(context: Context): CommandModule<object, ConvertFlags> {
  return {
    command: "convert <files..>",
    describe: "write the images of archives in another format, offline",
    builder: parser => outputFlags(archiveFlags(signFlags(convertFlags(parser)), "all")),
    handler: async flags => await runConvert(flags, context),
  };
}

function convertFlags(parser: Argv) {
  const list = { type: "string", array: true, requiresArg: true, nargs: 1 } as const;
  return parser
    .positional("files", {
      type: "string",
      array: true,
      describe: `image archive or folder to read, - for stdin, or several that are one source; the last one is the output, unless --output names it: ${ARCHIVE_OUTPUT}`,
    })
    .option("output", {
      alias: "o",
      type: "string",
      requiresArg: true,
      describe: "output; all arguments are then archives to read (default: the last argument)",
    })
    .option("format", {
      requiresArg: true,
      choices: ["universal", "oci", "docker"] as const,
      describe: "format of the output (default universal)",
    })
    .option("image", { ...list, describe: "write only the image with this name or digest (default all)" })
    .option("tag", {
      ...list,
      alias: "t",
      describe: "new name of the only image written (default: its names in the archive)",
    })
    .option("sparse", {
      requiresArg: true,
      choices: ["prune", "keep", "fail"] as const,
      describe:
        "an index whose platforms are missing: prune it, keep it, or fail (default: as when imgpack wrote the archive, else prune)",
    })
    .option("concurrency", {
      type: "number",
      requiresArg: true,
      describe: "maximum number of blobs to write at once, 1 to 64 (default 6)",
    })
    .option("restart", {
      type: "boolean",
      describe: "replace volumes of an earlier run, and discard an unfinished file of an interrupted one",
    })
    .option("dry-run", { type: "boolean", describe: "show what would be done, and write nothing" })
    .example("$0 convert hello.tar hello/", "as an OCI layout")
    .example("$0 convert old.tar delta.tar full.tar", "a delta and its base as one archive");
}

async function runConvert(flags: ConvertFlags, context: Context): Promise<void> {
  const files = flags.files ?? [];
  const inputs = flags.output === undefined ? files.slice(0, -1) : files;
  const target = flags.output ?? files.at(-1) ?? "";
  if (inputs.length === 0) {
    throw new UsageError(`Cannot convert ${quote(target)}: no output named, expected one after the archives`, {
      hint: "For example: imgpack convert app.tar app/",
    });
  }
  for (const input of inputs) refuseTypedArchive(input, "convert");
  const output = archiveOutput(target, context, flags.json);
  const sign = await signOf(flags, context, inputs);
  const progress = new Progress(context, flags, "Converting");
  const { convert } = await import("../../verbs/convert/convert.ts");
  try {
    const result = await convert(inputs, {
      output,
      format: flags.format,
      platform: platformsOf(flags),
      layers: flags.layers,
      referrers: flags.noReferrers === true ? false : undefined,
      for: flags.for,
      sign,
      volumeSize: flags.volumeSize,
      volume: volumeOf(flags),
      restart: flags.restart,
      image: flags.image,
      tag: flags.tag,
      sparse: flags.sparse,
      concurrency: checkConcurrency(flags.concurrency),
      dryRun: flags.dryRun,
      onProgress: progress.onProgress,
      signal: context.signal,
    });
    context.log?.result(result);
    progress.end();
    if (flags.json) return printLine(context, resultJson("convert", result));
    printImages(context, result, progress.note);
    if (flags.dryRun) return progress.note(unwrittenText(result));
    progress.note(`Wrote ${writtenText(result)} in ${result.seconds.toFixed(1)} s (${result.format})`);
  } finally {
    progress.end();
  }
}
