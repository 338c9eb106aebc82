import type { Argv, CommandModule } from "yargs";
import { NotFoundError } from "../../errors.ts";
import type { Compression, Sparse } from "../../index.ts";
import { cacheFolder } from "../../util/cache/cache-folder.ts";
import { type Context, printLine } from "../context.ts";
import { type ReferrersFlags, referrersFlag } from "../flags/archive-flags.ts";
import { readFlagKeys } from "../flags/flag-file.ts";
import { type ListFlags, listedArchives, listFlags, stdinLists, withFailedList } from "../flags/list-flags.ts";
import { type MappingFlags, mappingFlags } from "../flags/mapping-flags.ts";
import { registryFromFlags } from "../flags/registry-flags.ts";
import { type ShardFlag, shardFlag } from "../flags/shard-flag.ts";
import { checkStdinUses, refuseTypedArchive } from "../flags/stdin-input.ts";
import { checkConcurrency, type TransferFlags, transferFlags } from "../flags/transfer-flags.ts";
import { type V1Flags, v1Flags } from "../flags/v1-flags.ts";
import { unsentText } from "../output/dry-run-text.ts";
import { referrersLines } from "../output/referrers-text.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";

interface PushFlags extends TransferFlags, ListFlags, MappingFlags, ReferrersFlags, ShardFlag, V1Flags {
  readonly archives?: string[] | undefined;
  readonly to?: string | undefined;
  readonly tag?: string[] | undefined;
  readonly image?: string[] | undefined;
  readonly compression?: string | undefined;
  readonly sparse?: Sparse | undefined;
  readonly platform?: string | undefined;
  readonly need?: string | undefined;
  readonly requireSignature?: string[] | undefined;
}

const REGISTRY =
  "registry to push to, instead of the one in each name (default: the registry of each name, or $IMGPACK_REGISTRY)";

export function pushCommand(context: Context): CommandModule<object, PushFlags> {
  return {
    command: "push [archives..]",
    describe: "push image archives to a registry",
    builder: parser =>
      v1Flags(
        transferFlags(
          mappingFlags(referrersFlag(shardFlag(pushFlags(namesFlags(parser)), "push part I of the images"))),
          REGISTRY,
        ),
      ),
    handler: async flags => await runPush(flags, context),
  };
}

const LIST = { type: "string", array: true, requiresArg: true, nargs: 1 } as const;

/** What to push, and as what. */
function namesFlags(parser: Argv) {
  const own = parser
    .positional("archives", {
      type: "string",
      array: true,
      describe: "image archives or folders, - for stdin, docker://NAME, podman://NAME or containerd://NAME",
    })
    .option("to", {
      type: "string",
      describe: "push every image below this registry and prefix (default: the name of each image)",
    })
    .option("tag", {
      ...LIST,
      alias: "t",
      describe: "name to push the image as; relative to --to if it has no registry (default: the names in the archive)",
    })
    .option("image", { ...LIST, describe: "push only the image with this name or digest (default all)" });
  return listFlags(own, "archives");
}

function pushFlags<T>(parser: Argv<T>) {
  return parser
    .option("compression", {
      type: "string",
      describe:
        "compression of raw layers: auto, keep, gzip, gzip:1 (fast), gzip:2, gzip:4 to gzip:12, zstd or zstd:1 to zstd:19 (default auto, which is gzip:2)",
    })
    .option("sparse", {
      requiresArg: true,
      choices: ["prune", "keep", "fail"] as const,
      describe:
        "an index whose platforms are missing: prune it, keep it, or fail (default prune; fail if the image is signed or pinned)",
    })
    .option("require-signature", {
      ...LIST,
      describe: "send nothing unless this public key, or another one given, signed each archive (default none)",
    })
    .option("need", {
      type: "string",
      requiresArg: true,
      describe: "write a list of what neither the archive nor the registry has to this file (default stderr)",
    })
    .option("platform", {
      type: "string",
      requiresArg: true,
      describe: "v1:// only: platform to take of an index (default linux on this machine's architecture)",
    })
    .example("$0 push app.tar --registry registry.lan:5000", "every image of the archive, under its own name")
    .example("$0 push app.tar -t registry.lan:5000/team/app:1.4", "the only image of the archive, under another name")
    .example("docker save app:1.4 | $0 push - --to registry.lan:5000/team", "without a file in between");
}

async function runPush(flags: PushFlags, context: Context): Promise<void> {
  const registry = await registryFromFlags(flags, context.signal, flags.archives);
  const requireSignature = await readFlagKeys("--require-signature", flags.requireSignature, context.signal);
  const progress = new Progress(context, flags, "Pushing");
  const { push } = await import("../../verbs/push/push.ts");
  const pushOrList: typeof push = async (archives, options) => {
    try {
      return await push(archives, options);
    } catch (error) {
      if (error instanceof NotFoundError && error.need !== undefined && flags.need === undefined) {
        progress.end();
        context.stderr.write(error.need);
      }
      throw error;
    }
  };
  try {
    const { archives, images } = await listedArchives(flags.archives, flags, "push", context.signal);
    // Again, with those of the list.
    const { passwordStdin, tokenStdin } = flags;
    checkStdinUses([...archives.map(path => path === "-"), passwordStdin || tokenStdin, ...stdinLists(flags)]);
    for (const archive of archives) refuseTypedArchive(archive, "push");
    const work = async () =>
      await pushOrList(archives, {
        registry,
        to: flags.to,
        layout: flags.layout,
        map: flags.map,
        tag: flags.tag,
        image: images.length === 0 ? flags.image : [...(flags.image ?? []), ...images],
        compression: flags.compression as Compression | undefined,
        sparse: flags.sparse,
        platform: flags.platform,
        requireSignature,
        need: flags.need,
        referrers: flags.noReferrers !== true,
        shard: flags.shard,
        concurrency: checkConcurrency(flags.concurrency),
        cacheDir: cacheFolder(),
        dryRun: flags.dryRun,
        onProgress: progress.onProgress,
        signal: context.signal,
      });
    await reportResult(
      flags,
      async () => await withFailedList(flags, archives, progress.note, work),
      (result, isPartial) => {
        progress.end();
        const tags = result.images.length;
        const planned = flags.dryRun ? { planned: { ...progress.planned, tags } } : {};
        if (flags.json) return printLine(context, resultJson("push", { ...result, ...planned }));
        for (const { reference, digest, previousDigest } of result.images) {
          printLine(context, digest === undefined ? reference : `${reference}@${digest}`);
          if (previousDigest !== undefined) progress.note(`${reference}: ${previousDigest} → ${digest}`);
        }
        for (const line of referrersLines(result.images.map(one => ({ ...one, names: [one.reference] }))))
          progress.note(line);
        if (flags.dryRun) progress.note(unsentText(progress.planned, tags));
        else progress.summary(result, isPartial);
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}
