import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { type OutputFlags, outputFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";
import { faultyArchive } from "./verify.ts";

interface DoctorFlags extends OutputFlags {
  readonly archive?: string | undefined;
  readonly quick?: boolean | undefined;
  readonly repair?: string | undefined;
  readonly layers?: string | undefined;
}

export function doctorCommand(context: Context): CommandModule<object, DoctorFlags> {
  return {
    command: "doctor <archive>",
    describe: "say what an archive is, what is wrong with it, and who can load it",
    builder: parser =>
      outputFlags(
        parser
          .positional("archive", { type: "string", describe: "image archive, folder, or - for stdin" })
          .option("quick", { type: "boolean", describe: "read metadata only, hash nothing" })
          .option("repair", { type: "string", requiresArg: true, describe: "write a clean archive to this file" })
          .option("layers", {
            requiresArg: true,
            choices: ["keep", "gzip", "raw"],
            describe: "layers of the repaired archive (keep)",
          }),
      ),
    handler: async flags => {
      const archive = flags.archive ?? "";
      const progress = createProgress(context, flags, "Verifying");
      const { doctor } = await import("../../index.ts");
      try {
        const { quick, repair, layers } = flags;
        const { onProgress } = progress;
        const diagnosis = await doctor(archive, { quick, repair, layers, onProgress, signal: context.signal });
        progress.end();
        if (flags.json) printLine(context, JSON.stringify(diagnosis));
        else {
          const { diagnosisLines } = await import("../output/diagnosis-lines.ts");
          for (const line of diagnosisLines(diagnosis)) printLine(context, line);
        }
        const broken = diagnosis.images.filter(({ isWhole }) => !isWhole).length;
        const faults = Math.max(diagnosis.verified?.faults.length ?? 0, broken);
        if (faults > 0) throw faultyArchive(archive, faults, flags.json === true);
      } finally {
        progress.end();
      }
    },
  };
}
