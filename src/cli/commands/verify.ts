import type { CommandModule } from "yargs";
import { type ImgpackError, IntegrityError, NotFoundError } from "../../errors.ts";
import type { VerifyResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes, quote, shortId } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { readFlagKeys } from "../flags/flag-file.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { type ShardFlag, shardFlag } from "../flags/shard-flag.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { ReportedError } from "../output/render-error.ts";
import { resultJson } from "../output/result-json.ts";
import { signatureFault, signatureLines } from "../output/signature-lines.ts";
import { damageLines, missingVolumes } from "../output/tables/damage-lines.ts";
import { Progress } from "../progress/progress.ts";

interface VerifyFlags extends OutputFlags, ShardFlag {
  readonly archives?: string[] | undefined;
  readonly key?: string[] | undefined;
  readonly need?: string | undefined;
  readonly diffIds?: boolean | undefined;
}

export function verifyCommand(context: Context): CommandModule<object, VerifyFlags> {
  return {
    command: "verify <archives..>",
    describe: "check each blob against its digest, and find what is damaged",
    builder: parser =>
      outputFlags(
        shardFlag(parser, "hash part I of the blobs")
          .positional("archives", {
            type: "string",
            array: true,
            describe: "image archives, volumes or folders, - for stdin",
          })
          .option("key", {
            type: "string",
            array: true,
            requiresArg: true,
            nargs: 1,
            describe: "public key that must have signed the archive, or each image (default: not checked)",
          })
          .option("need", {
            type: "string",
            requiresArg: true,
            describe: "write a list of what has to be fetched again to this file, for pull -f (default: no file)",
          })
          .option("diff-ids", {
            type: "boolean",
            describe: "also inflate the layers of archives that imgpack wrote; those of others always are",
          })
          .example("$0 verify site.tar", "every blob of an archive")
          .example("$0 verify site.v*.tar --key desk.pub", "a set of volumes that this key must have signed")
          .example("$0 verify site.tar --need need.txt", "list what has to be fetched again"),
      ),
    handler: async flags => await runVerify(flags, context),
  };
}

async function runVerify(flags: VerifyFlags, context: Context): Promise<void> {
  const archives = flags.archives ?? [];
  for (const archive of archives) refuseTypedArchive(archive, "verify");
  const shown = archives.join(", ");
  const progress = new Progress(context, flags, "Verifying");
  const { verify } = await import("../../verbs/verify.ts");
  const { checkNeedFile, writeNeed } = await import("../../verbs/needs/write-need.ts");
  try {
    if (flags.need !== undefined) await checkNeedFile(flags.need);
    const key = await readFlagKeys("--key", flags.key, context.signal);
    const { diffIds, shard } = flags;
    const { onProgress } = progress;
    const result = await verify(archives, { key, diffIds, shard, onProgress, signal: context.signal });
    context.log?.result(result);
    progress.end();
    if (flags.json !== true) {
      for (const line of damageLines(result)) printLine(context, line);
      for (const text of result.unchecked) progress.note(`Not checked: ${text}`);
    }
    for (const line of flags.json ? [] : signatureLines(shown, result)) printLine(context, line);
    const [need, ...others] = result.needs ?? [];
    if (flags.need !== undefined && need !== undefined) await writeNeed(flags.need, need);
    for (const { of } of flags.need === undefined ? [] : others)
      progress.note(`${flags.need} does not list what bundle ${shortId(of)} needs: verify the files of that one alone`);
    const error = faultOf(shown, result, flags.need !== undefined);
    if (error !== undefined) throw flags.json ? new ReportedError(error, result) : error;
    if (flags.json) return printLine(context, resultJson("verify", result));
    printLine(context, `${escapeForeign(shown)}: ${checkedText(result)}, all match their digests`);
  } finally {
    progress.end();
  }
}

function checkedText({ images, blobs, bytes, shard }: VerifyResult): string {
  if (shard === undefined) return `${counted(images, "image")}, ${counted(blobs, "blob")}, ${formatBytes(bytes)}`;
  const { index, of, ofBlobs, ofBytes } = shard;
  return `shard ${index}/${of}, ${blobs} of ${counted(ofBlobs, "blob")}, ${formatBytes(bytes)} of ${formatBytes(ofBytes)}`;
}

function faultOf(archives: string, result: VerifyResult, hasNeedFile: boolean): ImgpackError | undefined {
  if (result.faults.length > 0) {
    const hint = [damageHint(result, hasNeedFile), ...savedHint(result)].join(" ");
    return faultyArchive(archives, result.faults.length, hint);
  }
  const [missing] = result.missing ?? [];
  if (missing === undefined) return signatureFault(archives, result);
  return new NotFoundError(
    `Cannot accept ${quote(archives)}: ${missingVolumes(missing)} ${missing.volumes.length === 1 ? "is" : "are"} missing, expected all volumes`,
    { hint: `Name all volumes of the set. ${hasNeedFile ? FETCH_HINT : NEED_HINT}` },
  );
}

const ALTERED_HINT = "The file was damaged or altered after it was made: copy it again from its source.";
const NEED_HINT = "If they are lost, verify with --need FILE lists what has to be fetched again.";
const FETCH_HINT = "If they are lost, fetch what the need list names: imgpack pull -f FILE -o patch.tar.";

const UNKNOWN_HINT =
  "Copy it again from its source: some of what is damaged came from no registry, and cannot be fetched from one.";

/** What can be done about damage. */
function damageHint({ faults, needs, harmed }: VerifyResult, hasNeedFile: boolean): string {
  if (harmed === undefined) return ALTERED_HINT;
  if (needs === undefined && harmed.length > 0) return ALTERED_HINT;
  const doubled = faults.find(({ blob, archive }) => blob !== undefined && archive !== undefined)?.archive;
  if (needs === undefined && doubled !== undefined)
    return `No image is harmed: another file has what is damaged of ${quote(doubled)}. Leave out the damaged file.`;
  if (needs === undefined) return "No image is harmed: imgpack convert writes the archive as it was.";
  if (needs.some(({ blobs }) => blobs.some(({ repositories }) => repositories.length === 0))) return UNKNOWN_HINT;
  return hasNeedFile
    ? "Fetch what the need list names (imgpack pull -f FILE -o patch.tar); convert and push take the patch next to the archive."
    : "Copy it again from its source, or list what has to be fetched again with --need FILE.";
}

/** What is left of a damaged bundle can be used without the rest. */
function savedHint({ harmed = [], unharmed = [] }: VerifyResult): readonly string[] {
  return harmed.length > 0 && unharmed.length > 0
    ? ["imgpack convert FILE OUT --image NAME saves an image that is unharmed."]
    : [];
}

export function faultyArchive(archive: string, count: number, hint: string = ALTERED_HINT): ImgpackError {
  return new IntegrityError(
    `Cannot accept archive ${quote(archive)}: ${counted(count, "fault")} found, expected none`,
    { hint },
  );
}
