import type { Argv, CommandModule } from "yargs";
import { PartialError } from "../../errors.ts";
import type { LockResult, Sparse } from "../../index.ts";
import { cacheFolder } from "../../util/cache/cache-folder.ts";
import { checkApart } from "../../util/output-checks.ts";
import type { Context } from "../context.ts";
import { platformsFlag, platformsOf, type ReferrersFlags, referrersFlag } from "../flags/archive-flags.ts";
import {
  guessFlag,
  type ListFlags,
  listedImages,
  listedReferences,
  listFlags,
  withFailedList,
} from "../flags/list-flags.ts";
import { MIRROR, registryFromFlags } from "../flags/registry-flags.ts";
import { type RemoteFlags, remoteFlags } from "../flags/remote-flags.ts";
import { rateOf } from "../flags/retry-flags.ts";
import { sparseFlag } from "../flags/sparse-flag.ts";
import { reportResult } from "../output/report-result.ts";
import { Progress } from "../progress/progress.ts";
import { isTerminal } from "../screen/terminal.ts";
import { viewOf, wrappedLines } from "../screen/view.ts";

interface LockFlags extends RemoteFlags, ListFlags, ReferrersFlags {
  readonly references?: string[] | undefined;
  readonly output?: string | undefined;
  readonly platform?: string[] | undefined;
  readonly sparse?: Sparse | undefined;
  readonly mirror?: string[] | undefined;
  readonly keepGoing?: boolean | undefined;
  readonly rate?: string | undefined;
  readonly list?: boolean | undefined;
}

export function lockCommand(context: Context): CommandModule<object, LockFlags> {
  return {
    command: "lock [references..]",
    describe: "resolve images to digests and sizes, or list what files name",
    builder: parser => lockFlags(guessFlag(listFlags(remoteFlags(parser), "references"))),
    handler: async flags => await runLock(flags, context),
  };
}

function lockFlags<T>(parser: Argv<T>) {
  const own = parser
    .positional("references", {
      type: "string",
      array: true,
      describe: "images: registry/repository:tag or @digest; or one archive or folder",
    })
    .option("output", {
      alias: "o",
      type: "string",
      requiresArg: true,
      describe: "file to write the lock to (default stdout)",
    })
    .option("mirror", MIRROR)
    .option("rate", {
      type: "string",
      requiresArg: true,
      describe: "bytes per second of the transfer, such as 10M, to show how long it takes (default: not shown)",
    })
    .option("keep-going", { type: "boolean", describe: "skip images that cannot be read (exit code 10)" })
    .option("list", { type: "boolean", describe: "print the references and where they were found; ask no registry" });
  return sparseFlag(referrersFlag(platformsFlag(own, "linux on this machine's architecture")))
    .example("$0 lock -f images.txt -o site.lock", "what to pull, and how much it is")
    .example("$0 lock --list -f chart.yaml", "what a chart names, as a list for -f");
}

async function runLock(flags: LockFlags, context: Context): Promise<void> {
  if (flags.list === true) {
    const { printReferences } = await import("../output/reference-lines.ts");
    return await printReferences(
      context,
      await listedReferences(flags.references, flags, "lock", context.signal),
      flags,
    );
  }
  const rate = flags.rate === undefined ? undefined : rateOf("--rate", flags.rate);
  const registry = await registryFromFlags(flags, context.signal);
  const progress = new Progress(context, flags, "Reading");
  const { lock } = await import("../../verbs/lock/lock.ts");
  const { lockLines, printLock, writeLock } = await import("../output/tables/lock-lines.ts");
  try {
    const references = await listedImages(flags.references, flags, "lock", context.signal, progress.note);
    const { output } = flags;
    if (output !== undefined) await checkApart(output, [...(flags.references ?? []), ...(flags.fromFile ?? [])]);
    const work = async (): Promise<LockResult> =>
      await lock(references, {
        registry,
        trustedReferences: flags.references ?? [],
        mirror: flags.mirror,
        platform: platformsOf(flags),
        sparse: flags.sparse,
        referrers: flags.noReferrers !== true,
        keepGoing: flags.keepGoing,
        cacheDir: cacheFolder(),
        onProgress: progress.onProgress,
        signal: context.signal,
      }).then(
        async result => await written(result),
        async error => {
          if (error instanceof PartialError && error.result !== undefined) await written(error.result as LockResult);
          throw error;
        },
      );
    const written = async (result: LockResult): Promise<LockResult> => {
      if (output !== undefined) await writeLock(output, result);
      return result;
    };
    await reportResult(
      flags,
      async () => await withFailedList(flags, references, progress.note, work),
      result => {
        progress.end();
        printLock(context, result, flags);
        const view = viewOf(context.stderr);
        for (const line of wrappedLines(lockLines(result, rate, view), view, 2)) progress.note(line);
        if (output === undefined && flags.json !== true && isTerminal(context.stdout))
          progress.note("The lock itself is not shown on a terminal: -o FILE writes it.");
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}
