import type { CommandModule } from "yargs";
import { type ImgpackError, UsageError } from "../../errors.ts";
import type { Diagnosis, Layers } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { checkStdinUses, refuseTypedArchive } from "../flags/stdin-input.ts";
import type { JsonResults } from "../output/json-results.ts";
import { ReportedError } from "../output/render-error.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";
import { viewOf, wrappedLines } from "../screen/view.ts";
import { faultyArchive } from "./verify.ts";

interface DoctorFlags extends OutputFlags {
  readonly archives?: string[] | undefined;
  readonly quick?: boolean | undefined;
  readonly repair?: string | undefined;
  readonly layers?: Layers | undefined;
}

export function doctorCommand(context: Context): CommandModule<object, DoctorFlags> {
  return {
    command: "doctor <archives..>",
    describe: "report what archives are, what is wrong, and what loads them",
    builder: parser =>
      outputFlags(
        parser
          .positional("archives", {
            type: "string",
            array: true,
            describe: "image archives or folders, - for stdin, docker://NAME, podman://NAME or containerd://NAME",
          })
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
          .example("$0 doctor incoming/*.tar --quick", "many archives, without hashing them")
          .example("$0 doctor app.tar --repair clean.tar", "write what is usable as an archive that all tools load"),
      ),
    handler: async flags => await runDoctor(flags, context),
  };
}

async function runDoctor(flags: DoctorFlags, context: Context): Promise<void> {
  const archives = flags.archives ?? [];
  for (const archive of archives) refuseTypedArchive(archive, "doctor");
  checkStdinUses(archives.map(archive => archive === "-"));
  checkOneRepaired(archives, flags);
  const { quick, repair, layers } = flags;
  const progress = new Progress(context, flags, "Verifying");
  const { doctor } = await import("../../verbs/doctor/doctor.ts");
  const { Attempts } = await import("../../verbs/shared/attempts.ts");
  const attempts = new Attempts(archives.length, context.signal);
  const found: Diagnosis[] = [];
  const one = async (archive: string): Promise<void> => {
    const { onProgress } = progress;
    const diagnosis = await doctor(archive, { quick, repair, layers, onProgress, signal: context.signal });
    found.push(diagnosis);
    progress.end();
    if (flags.json !== true) await printDiagnosis(diagnosis, found.length > 1, context);
    const error = faultOf(diagnosis);
    if (error !== undefined) throw archives.length === 1 ? new ReportedError(error, diagnosis) : error;
  };
  try {
    for (const archive of archives) await attempts.run(archive, async () => await one(archive));
    attempts.settle("accept", "archives", { archives: found }, "The other archives are whole.");
    if (flags.json) printLine(context, resultJson("doctor", resultOf(archives, found)));
  } finally {
    if (found.length > 0) context.log?.result(resultOf(archives, found));
    progress.end();
  }
}

/** What `--json` prints: one archive as it is, several in a list. */
function resultOf(archives: readonly string[], found: readonly Diagnosis[]): JsonResults["doctor"] {
  const [single] = found;
  return archives.length === 1 && single !== undefined ? single : { archives: found };
}

async function printDiagnosis(diagnosis: Diagnosis, isNext: boolean, context: Context): Promise<void> {
  const { diagnosisLines } = await import("../output/diagnosis-lines.ts");
  if (isNext) printLine(context, "");
  for (const line of wrappedLines(diagnosisLines(diagnosis), viewOf(context.stdout))) printLine(context, line);
}

function faultOf({ archive, images, verified }: Diagnosis): ImgpackError | undefined {
  const broken = images.filter(({ isWhole }) => !isWhole).length;
  const faults = Math.max(verified?.faults.length ?? 0, broken);
  return faults > 0 ? faultyArchive(archive, faults) : undefined;
}

/** @throws UsageError for several archives that would become one file. */
function checkOneRepaired(archives: readonly string[], { repair }: DoctorFlags): void {
  if (repair === undefined || archives.length < 2) return;
  throw new UsageError(
    `Cannot repair ${archives.length} archives into one file: found ${archives.map(quote).join(", ")}, expected one`,
    {
      hint: "Repair them one by one, each into a file of its own.",
    },
  );
}
