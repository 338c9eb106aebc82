import type { CommandModule } from "yargs";
import { IntegrityError } from "../../errors.ts";
import { counted, escapeForeign, formatBytes, quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { readFlagKeys } from "../flags/flag-file.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { faultText } from "../output/fault-text.ts";
import { jsonText } from "../output/json-text.ts";
import { Progress } from "../output/progress.ts";
import { ReportedError } from "../output/render-error.ts";
import { signatureFault, signatureLines } from "../output/signature-lines.ts";

interface VerifyFlags extends OutputFlags {
  readonly archive?: string | undefined;
  readonly key?: string[] | undefined;
}

export function verifyCommand(context: Context): CommandModule<object, VerifyFlags> {
  return {
    command: "verify <archive>",
    describe: "check every blob of an archive against its digest",
    builder: parser =>
      outputFlags(
        parser
          .positional("archive", { type: "string", describe: "image archive or folder, - for stdin" })
          .option("key", {
            type: "string",
            array: true,
            requiresArg: true,
            nargs: 1,
            describe: "FILE with a public key that must have signed the archive, or each image (default: not checked)",
          }),
      ),
    handler: async flags => await runVerify(flags, context),
  };
}

async function runVerify(flags: VerifyFlags, context: Context): Promise<void> {
  const archive = flags.archive ?? "";
  refuseTypedArchive(archive, "verify");
  const progress = new Progress(context, flags, "Verifying");
  const { verify } = await import("../../verbs/verify.ts");
  try {
    const key = await readFlagKeys("--key", flags.key, context.signal);
    const result = await verify(archive, { key, onProgress: progress.onProgress, signal: context.signal });
    progress.end();
    if (flags.json) printLine(context, jsonText(result));
    else {
      for (const fault of result.faults) printLine(context, faultText(fault));
      for (const text of result.unchecked) progress.note(`Not checked: ${text}`);
    }
    for (const line of flags.json ? [] : signatureLines(archive, result)) printLine(context, line);
    if (result.faults.length > 0) throw faultyArchive(archive, result.faults.length, flags.json === true);
    const untrusted = signatureFault(archive, result);
    if (untrusted !== undefined) throw flags.json ? new ReportedError(untrusted) : untrusted;
    if (flags.json) return;
    const { images, blobs, bytes } = result;
    printLine(
      context,
      `${escapeForeign(archive)}: ${counted(images, "image")}, ${counted(blobs, "blob")}, ${formatBytes(bytes)}, all match their digests`,
    );
  } finally {
    progress.end();
  }
}

/** @param isReported when the faults are on stdout already, as JSON. */
export function faultyArchive(archive: string, count: number, isReported: boolean): Error {
  const error = new IntegrityError(
    `Cannot accept archive ${quote(archive)}: ${counted(count, "fault")} found, expected none`,
    {
      hint: "The file was damaged or altered after it was made: copy it again from its source.",
    },
  );
  return isReported ? new ReportedError(error) : error;
}
