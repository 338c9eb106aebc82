import type { ProgressEvent } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";

/** Characters of a note; what is longer is cut. */
export const MAX_NOTE = 1000;

/** The line that a note or a retry puts on stderr; undefined for other events. */
export function noteText(event: ProgressEvent): string | undefined {
  if (event.kind === "note") return escapeForeign(event.message, MAX_NOTE);
  if (event.kind !== "retry") return undefined;
  return `${escapeForeign(event.message, MAX_NOTE)}; retrying in ${Math.ceil(event.waitMs / 1000)} s`;
}
