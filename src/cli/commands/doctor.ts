import type { CommandModule } from "yargs";
import type { Layers } from "../../index.ts";
import { type Context, printLine } from "../context.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { refuseTypedArchive } from "../flags/stdin-input.ts";
import { ReportedError } from "../output/render-error.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";
import { viewOf, wrappedLines } from "../screen/view.ts";
import { faultyArchive } from "./verify.ts";

interface DoctorFlags extends OutputFlags {
  readonly archive?: string | undefined;
  readonly quick?: boolean | undefined;
  readonly repair?: string | undefined;
  readonly layers?: Layers | undefined;
}

export function doctorCommand(context: Context): CommandModule<object, DoctorFlags> {
  return {
    command: "doctor <archive>",
    describe: "report what an archive is, what is wrong, and which tools load it",
    builder: parser =>
      outputFlags(
        parser
          .positional("archive", { type: "string", describe: "image archive or folder, - for stdin" })
          .option("quick", { type: "boolean", describe: "read metadata only, without hashing blobs" })
          .option("repair", {
            type: "string",
            requiresArg: true,
            describe: "write a clean archive to this file (default: only report)",
          })
          .option("layers", {
            requiresArg: true,
            choices: ["keep", "gzip", "zstd", "raw"] as const,
            describe: "compression of the layers in the repaired archive (default keep)",
          })
          .example("$0 doctor app.tar", "what it is, and which tools load it")
          .example("$0 doctor app.tar --repair clean.tar", "write what is usable as an archive that all tools load"),
      ),
    handler: async flags => await runDoctor(flags, context),
  };
}

async function runDoctor(flags: DoctorFlags, context: Context): Promise<void> {
  const archive = flags.archive ?? "";
  refuseTypedArchive(archive, "doctor");
  const progress = new Progress(context, flags, "Verifying");
  const { doctor } = await import("../../verbs/doctor/doctor.ts");
  try {
    const { quick, repair, layers } = flags;
    const { onProgress } = progress;
    const diagnosis = await doctor(archive, { quick, repair, layers, onProgress, signal: context.signal });
    context.log?.result(diagnosis);
    progress.end();
    if (flags.json !== true) {
      const { diagnosisLines } = await import("../output/diagnosis-lines.ts");
      for (const line of wrappedLines(diagnosisLines(diagnosis), viewOf(context.stdout))) printLine(context, line);
    }
    const broken = diagnosis.images.filter(({ isWhole }) => !isWhole).length;
    const faults = Math.max(diagnosis.verified?.faults.length ?? 0, broken);
    if (faults > 0) {
      const error = faultyArchive(archive, faults);
      throw flags.json === true ? new ReportedError(error, diagnosis) : error;
    }
    if (flags.json) printLine(context, resultJson("doctor", diagnosis));
  } finally {
    progress.end();
  }
}
