import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** What a report says of a tag that no other registry takes. @param repository as messages name it. */
export function unusableTag(repository: string, tag: string): { readonly source: string; readonly error: UsageError } {
  // Quoted if a line of a list that names it could mean another image.
  const isPlain = /^[A-Za-z0-9_.-]{1,128}$/.test(tag);
  const error = new UsageError(
    `Cannot use tag ${quote(tag)} of ${repository}: found other characters, expected 1 to 128 of [A-Za-z0-9._-]`,
    { hint: "No other registry takes such a tag. Give the image another one on the old server." },
  );
  return { source: `${repository}:${isPlain ? tag : quote(tag)}`, error };
}
