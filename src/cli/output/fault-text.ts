import type { ArchiveFault } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";

/** As much as a line shows of what an archive contains. */
const MAX_TEXT = 1000;

/** One fault of an archive, on one line. */
export function faultText({ kind, blob, found, expected, message }: ArchiveFault): string {
  return `${kind}: ${blob}: ${escapeForeign(message ?? `found ${found}, expected ${expected}`, MAX_TEXT)}`;
}
