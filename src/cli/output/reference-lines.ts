import type { ListedReferences } from "../../index.ts";
import { type Context, printLine } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { ReportedError } from "./render-error.ts";
import { resultJson } from "./result-json.ts";

/**
 * One line per reference, which `-f` reads; what is only likely is commented out, unless it is asked for.
 *
 * @throws UsageError with all that was refused.
 */
export async function printReferences(
  context: Context,
  found: ListedReferences,
  { json, guess, quiet }: Pick<OutputFlags, "json" | "quiet"> & { readonly guess?: boolean | undefined },
): Promise<void> {
  const { pauseNotes, referenceLines, refusedOf } = await import("../../verbs/lock/reference-lines.ts");
  const error = refusedOf(found);
  if (json === true) {
    const references = found.references.map(({ reference, name, class: kind, file, line, platforms }) => ({
      name: reference,
      class: kind,
      file,
      line,
      platforms,
      as: name,
    }));
    const result = { references, refused: found.refused };
    if (error !== undefined) throw new ReportedError(error, result);
    printLine(context, resultJson("lock", result));
    return;
  }
  if (error !== undefined) throw error;
  for (const line of referenceLines(found, guess === true)) printLine(context, line);
  if (quiet === true) return;
  for (const note of pauseNotes(found.references.map(({ reference }) => reference))) context.stderr.write(`${note}\n`);
}
