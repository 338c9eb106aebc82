import type { CommandModule } from "yargs";
import { IntegrityError, NotFoundError } from "../../errors.ts";
import type { CheckedSignatures } from "../../index.ts";
import { counted, escapeForeign, formatBytes, quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { readFlagFile } from "../flags/flag-file.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { faultText } from "../output/fault-text.ts";
import { jsonText } from "../output/json-text.ts";
import { Progress } from "../output/progress.ts";
import { ReportedError } from "../output/render-error.ts";

interface VerifyFlags extends OutputFlags {
  readonly archive?: string | undefined;
  readonly key?: string | undefined;
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
            requiresArg: true,
            describe: "FILE with the public key that must have signed each image (cosign.pub; default: not checked)",
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
    const key =
      flags.key === undefined
        ? undefined
        : await readFlagFile("--key", flags.key, "a public key in PEM", context.signal);
    const result = await verify(archive, { key, onProgress: progress.onProgress, signal: context.signal });
    progress.end();
    if (flags.json) printLine(context, jsonText(result));
    else {
      for (const fault of result.faults) printLine(context, faultText(fault));
      for (const text of result.unchecked) progress.note(`Not checked: ${text}`);
    }
    const unsigned = (result.signatures ?? []).filter(({ valid }) => valid === 0);
    if (!flags.json) {
      for (const { names, digest = "an image without a manifest", valid, refused } of result.signatures ?? []) {
        const name = names[0] ?? digest;
        printLine(context, `${name}: ${valid === 0 ? "no valid signature" : counted(valid, "valid signature")}`);
        for (const { message } of valid === 0 ? refused : []) printLine(context, escapeForeign(message));
      }
    }
    if (result.faults.length > 0) throw faultyArchive(archive, result.faults.length, flags.json === true);
    if (unsigned.length > 0) throw unsignedImages(archive, unsigned, flags.json === true);
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

/** Each image has a line on stdout already. */
const SHOWN = 3;

/** A signature that does not fit is damage (exit code 6); none at all is something absent (5). */
function unsignedImages(archive: string, unsigned: readonly CheckedSignatures[], isReported: boolean): Error {
  const all = unsigned.map(({ names, digest = "an image without a manifest" }) => names[0] ?? digest);
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  const names = `${all.slice(0, SHOWN).join(", ")}${more}`;
  const isRefused = unsigned.some(({ refused }) => refused.length > 0);
  const found = isRefused ? "the key did not sign" : "no signature of";
  const message = `Cannot accept archive ${quote(archive)}: ${found} ${names}, expected a valid signature of each image`;
  const hint = isRefused
    ? "Another key signed it, or the image or its signature was altered: ask who sent it."
    : "Sign the image, and pull it again; the archive may also have been made with --no-referrers.";
  const error = isRefused ? new IntegrityError(message, { hint }) : new NotFoundError(message, { hint });
  return isReported ? new ReportedError(error) : error;
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
