import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { Foreign, Sparse, ToolTarget } from "../../index.ts";
import { cacheFolder } from "../../util/cache/cache-folder.ts";
import { quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import {
  ARCHIVE_OUTPUT,
  type ArchiveFlags,
  archiveFlags,
  archiveOutput,
  platformsOf,
  printImages,
  type RequireFlags,
  requiredOf,
  requireFlag,
  volumeOf,
} from "../flags/archive-flags.ts";
import { guessFlag, type ListFlags, listedImages, listFlags, lockAmong, withFailedList } from "../flags/list-flags.ts";
import { type MappingFlags, mappingFlags } from "../flags/mapping-flags.ts";
import { MIRROR, READ_REGISTRY, registryFromFlags } from "../flags/registry-flags.ts";
import { REPORT } from "../flags/rescue-flags.ts";
import { type ShardFlag, shardFlag } from "../flags/shard-flag.ts";
import { type SignFlags, signFlags, signOf } from "../flags/sign-flags.ts";
import { sparseFlag } from "../flags/sparse-flag.ts";
import { checkConcurrency, type TransferFlags, transferFlags } from "../flags/transfer-flags.ts";
import { type V1Flags, v1Flags } from "../flags/v1-flags.ts";
import { unwrittenText } from "../output/dry-run-text.ts";
import { referrersLines } from "../output/referrers-text.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";

interface PullFlags
  extends RequireFlags,
    SignFlags,
    TransferFlags,
    ArchiveFlags,
    ListFlags,
    MappingFlags,
    ShardFlag,
    V1Flags {
  readonly base?: string[] | undefined;
  readonly keepGoing?: boolean | undefined;
  readonly references?: string[] | undefined;
  readonly output: string;
  readonly mirror?: string[] | undefined;
  readonly restart?: boolean | undefined;
  readonly foreign?: Foreign | undefined;
  readonly sparse?: Sparse | undefined;
  readonly withTool?: string[] | undefined;
  readonly noV1Checksums?: boolean | undefined;
  readonly report?: string | undefined;
}

export function pullCommand(context: Context): CommandModule<object, PullFlags> {
  return {
    command: "pull [references..]",
    describe: "pull images into one archive that every runtime loads",
    builder: parser =>
      v1Flags(mappingFlags(transferFlags(pullFlags(imagesFlags(parser)), READ_REGISTRY), "in a registry of --base")),
    handler: async flags => await runPull(flags, context),
  };
}

/** What to pull, and where to. */
function imagesFlags(parser: Argv) {
  const own = parser
    .positional("references", {
      type: "string",
      array: true,
      describe: "images: registry/repository:tag or @digest, v1://HOST/repository:tag",
    })
    .option("output", {
      alias: "o",
      type: "string",
      demandOption: true,
      requiresArg: true,
      describe: ARCHIVE_OUTPUT,
    });
  return guessFlag(listFlags(own, "references"));
}

function pullFlags<T>(parser: Argv<T>) {
  const own = archiveFlags(parser, "linux on this machine's architecture")
    .option("base", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe:
        "archive, folder, lock, or HOST[:PORT][/PREFIX] of a registry, that the other side has: leave out its layers (default none)",
    })
    .option("mirror", MIRROR)
    .option("restart", {
      type: "boolean",
      describe: "discard an unfinished file of an interrupted run and start over; replace an old set of volumes",
    })
    .option("foreign", {
      requiresArg: true,
      choices: ["skip", "fetch"] as const,
      describe: "foreign layers that the registry lacks: leave them out, or fetch them from their URLs (default skip)",
    })
    .option("with-tool", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "single executables to put next to the archive (default none)",
    })
    .option("no-v1-checksums", {
      type: "boolean",
      describe: "v1:// only: take layers that do not have the checksum that the registry states, with a note",
    })
    .option("report", REPORT)
    .option("keep-going", { type: "boolean", describe: "skip images that cannot be fetched (exit code 10)" });
  return sparseFlag(requireFlag(signFlags(shardFlag(own, "write part I of the volumes"))))
    .example("$0 pull registry.lan:5000/hello:latest -o out.tar", "one image, for this machine's architecture")
    .example("$0 pull registry.lan:5000/hello:latest -o - | docker load", "without a file in between")
    .example("$0 pull 'v1://old.lan/**' -o rescued/", "all that a registry of the v1 protocol holds");
}

async function runPull(flags: PullFlags, context: Context): Promise<void> {
  for (const reference of flags.references ?? []) refuseArchiveName(reference);
  const output = archiveOutput(flags.output, context, flags.json);
  const registry = await registryFromFlags(flags, context.signal);
  const sign = await signOf(flags, context, flags.fromFile);
  const progress = new Progress(context, flags, "Pulling");
  const { pull } = await import("../../verbs/pull.ts");
  try {
    const { lock, need, known } = await lockAmong(flags.references, flags, context.signal);
    const references =
      (lock ?? need) === undefined
        ? await listedImages(flags.references, flags, "pull", context.signal, progress.note, known)
        : [];
    const work = async () =>
      await pull(references, {
        keepGoing: flags.keepGoing,
        output,
        registry,
        trustedReferences: flags.references ?? [],
        mirror: flags.mirror,
        restart: flags.restart,
        foreign: flags.foreign,
        lock,
        need,
        sparse: flags.sparse,
        base: flags.base,
        layout: flags.layout,
        map: flags.map,
        withTool: flags.withTool?.flatMap(text => text.split(",")) as readonly ToolTarget[] | undefined,
        toolDir: process.env["IMGPACK_TOOL_DIR"] || undefined,
        platform: platformsOf(flags),
        layers: flags.layers,
        referrers: flags.noReferrers !== true,
        requireReferrers: requiredOf(flags),
        for: flags.for,
        sign,
        volumeSize: flags.volumeSize,
        volume: volumeOf(flags),
        shard: flags.shard,
        v1Checksums: flags.noV1Checksums === true ? false : undefined,
        report: flags.report,
        concurrency: checkConcurrency(flags.concurrency),
        cacheDir: cacheFolder(),
        dryRun: flags.dryRun,
        onProgress: progress.onProgress,
        signal: context.signal,
      });
    await reportResult(
      flags,
      async () => await withFailedList(flags, references, progress.note, work),
      (result, isPartial) => {
        progress.end();
        if (flags.json) return printLine(context, resultJson("pull", result));
        printImages(context, result, progress.note);
        for (const line of referrersLines(result.images)) progress.note(line);
        for (const { path } of result.tools)
          progress.note(`${path} ${flags.dryRun ? "goes" : "is"} next to the archive`);
        if (flags.dryRun) progress.note(unwrittenText(result));
        else progress.summary(result, isPartial);
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}

/** @throws UsageError for `pull -o one.tar two.tar IMAGE`, in which two.tar would be an image of Docker Hub. */
function refuseArchiveName(reference: string): void {
  if (!/^[^/:@]+\.(?:tar|tgz|tzst|txz|tar\.\w+)$/i.test(reference)) return;
  throw new UsageError(`Cannot pull ${quote(reference)}: found the name of an archive, expected an image`, {
    hint: `All images go into the one archive that --output names. An image of that name is docker.io/library/${reference}.`,
  });
}
