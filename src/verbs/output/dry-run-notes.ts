import { type ArchiveContentsOptions, archiveContents } from "../../archive/write/archive-contents.ts";
import { checkReadable } from "../../archive/write/check-readable.ts";
import type { CopyPlan } from "../../content/contracts.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import type { OpenedOutput } from "./open-output.ts";

/**
 * What a dry run says of a plan. A real run finds what cannot be read when its target begins.
 *
 * @throws ArchiveError as `checkReadable`; no volume names more images than are read.
 */
export function dryRunNotes(
  plan: CopyPlan,
  { output, sourceName }: { readonly output: OpenedOutput; readonly sourceName: string },
  { platform, lock }: Pick<ArchiveContentsOptions, "platform" | "lock">,
): readonly string[] {
  if (output.volumes === undefined)
    checkReadable(archiveContents(plan, { platform, lock, format: output.format }), plan);
  return planNotes(plan, sourceName);
}
