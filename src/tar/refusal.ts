import { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";

/** The place in an archive where a rule is broken. */
export interface TarPlace {
  /** The archive as a message shows it, for example `archive "app.tar"`. */
  readonly what: string;
  /** First byte of the header, counted from the start of the tar. */
  readonly offset?: number;
  readonly name?: string;
}

const AMBIGUOUS_HINT =
  "Other tools read such an archive in different ways, so none of them can be trusted: save the image again with a current tool.";
export const TRUNCATED_HINT = "The copy is incomplete: compare its size with the sender's, then copy it again.";

/** An ArchiveError with the entry, its byte offset, the archive, what was found and what is allowed. */
export function refusal(
  reason: string,
  place: TarPlace,
  found: string,
  expected: string,
  hint: string = AMBIGUOUS_HINT,
): ArchiveError {
  const subject = place.name === undefined ? "header" : `entry ${quote(place.name)}`;
  const at = place.offset === undefined ? "" : ` at byte ${place.offset}`;
  return new ArchiveError(reason, `Cannot read ${subject}${at} from ${place.what}: ${found}, expected ${expected}`, {
    hint,
  });
}
