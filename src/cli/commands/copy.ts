import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { cacheFolder } from "../../util/cache/cache-folder.ts";
import { counted } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import {
  platformsFlag,
  platformsOf,
  type ReferrersFlags,
  type RequireFlags,
  referrersFlag,
  requiredOf,
  requireFlag,
} from "../flags/archive-flags.ts";
import {
  guessFlag,
  type ListFlags,
  listedImages,
  listFlags,
  lockOfImages,
  withFailedList,
} from "../flags/list-flags.ts";
import { type MappingFlags, mappingFlags } from "../flags/mapping-flags.ts";
import { registryFromFlags } from "../flags/registry-flags.ts";
import { type RescueFlags, rescueFlags, rescueOptions } from "../flags/rescue-flags.ts";
import { type ShardFlag, shardFlag } from "../flags/shard-flag.ts";
import { checkConcurrency, type TransferFlags, transferFlags } from "../flags/transfer-flags.ts";
import { type V1Flags, v1Flags } from "../flags/v1-flags.ts";
import { unsentText } from "../output/dry-run-text.ts";
import { referrersLines } from "../output/referrers-text.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";
import { plannedLines, rescueSummary } from "./rescue-lines.ts";

interface CopyFlags
  extends TransferFlags,
    ListFlags,
    MappingFlags,
    ReferrersFlags,
    RequireFlags,
    RescueFlags,
    ShardFlag,
    V1Flags {
  readonly references?: string[] | undefined;
  readonly to?: string | undefined;
  readonly platform?: string[] | undefined;
}

const REGISTRY = "registry of names that have none (default: $IMGPACK_REGISTRY, else Docker Hub for a source)";

export function copyCommand(context: Context): CommandModule<object, CopyFlags> {
  return {
    command: "copy [references..]",
    describe: "copy images between registries without changing their digests",
    builder: parser =>
      v1Flags(guessFlag(listFlags(transferFlags(mappingFlags(copyFlags(parser)), REGISTRY), "references"))),
    handler: async flags => await runCopy(flags, context),
  };
}

function copyFlags(parser: Argv) {
  const own = parser
    .positional("references", { type: "string", array: true, describe: "source and target; with --to, sources only" })
    .option("to", {
      type: "string",
      requiresArg: true,
      describe: "copy every source below this registry and prefix (default: one source, to the target)",
    });
  return rescueFlags(referrersFlag(requireFlag(platformsFlag(shardFlag(own, "copy part I of the images"), "all"))))
    .example("$0 copy quay.io/team/app:2 registry.lan:5000/team/app", "all platforms, same digest")
    .example("$0 copy quay.io/a:1 quay.io/b:2 --to registry.lan:5000/mirror", "several images under their own names")
    .example("$0 copy 'v1://old.lan/**' --to registry.lan:5000 --report r.html", "all of a v1 registry");
}

async function runCopy(flags: CopyFlags, context: Context): Promise<void> {
  const named = flags.references ?? [];
  const [source = "", target] = named;
  if (flags.to === undefined && (target === undefined || named.length > 2 || flags.fromFile !== undefined)) {
    const found = flags.fromFile === undefined ? `${counted(named.length, "name")} given` : "a list given";
    throw new UsageError(`Cannot copy: ${found}, expected source and target, or --to HOST/PREFIX`);
  }
  const mapping = { layout: flags.layout, map: flags.map };
  const given = flags.layout === undefined ? (flags.map === undefined ? undefined : "--map") : "--layout";
  if (flags.to === undefined && given !== undefined) {
    throw new UsageError(`Cannot use ${given}: it says where names go below a target, expected --to HOST/PREFIX`);
  }
  const registry = await registryFromFlags(flags, context.signal);
  const progress = new Progress(context, flags, "Copying");
  const { copy, copyTo } = await import("../../verbs/copy/copy.ts");
  const options = {
    registry,
    platform: platformsOf(flags),
    concurrency: checkConcurrency(flags.concurrency),
    cacheDir: cacheFolder(),
    dryRun: flags.dryRun,
    referrers: flags.noReferrers !== true,
    requireReferrers: requiredOf(flags),
    ...rescueOptions(flags),
    shard: flags.shard,
    onProgress: progress.onProgress,
    signal: context.signal,
  };
  try {
    const { to } = flags;
    const { lock, known } = await lockOfImages(flags, context.signal);
    const references =
      to === undefined ? named : await listedImages(named, flags, "copy", context.signal, progress.note, known);
    const work = async () =>
      to === undefined
        ? await copy(source, target ?? "", options)
        : await copyTo(references, to, { ...options, ...mapping, lock, trustedReferences: named });
    const failing = to === undefined ? named.slice(0, 1) : references;
    await reportResult(
      flags,
      async () => await withFailedList(flags, failing, progress.note, work),
      (result, isPartial) => {
        progress.end();
        const tags = result.images.length;
        const planned = flags.dryRun && result.rescue === undefined ? { planned: { ...progress.planned, tags } } : {};
        if (flags.json) return printLine(context, resultJson("copy", { ...result, ...planned }));
        if (result.rescue?.dryRun === true) {
          for (const line of plannedLines(result.rescue)) printLine(context, line);
          return progress.note(`${rescueSummary(result.rescue)}: nothing was sent`);
        }
        for (const { reference, digest, previousDigest } of result.images) {
          // The digest at the source is no part of a name that v1 takes.
          const isNamed = digest !== undefined && !reference.startsWith("v1://");
          printLine(context, isNamed ? `${reference}@${digest}` : reference);
          if (previousDigest !== undefined) progress.note(`${reference}: ${previousDigest} → ${digest}`);
        }
        for (const line of referrersLines(result.images.map(one => ({ ...one, names: [one.reference] }))))
          progress.note(line);
        if (result.rescue !== undefined) progress.note(rescueSummary(result.rescue));
        if (flags.dryRun) progress.note(unsentText(progress.planned, tags));
        else progress.summary(result, isPartial);
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}
