import { ArchiveError } from "../../errors.ts";
import { jsonExcess } from "../../util/json/json-excess.ts";
import { LOCK_LIMIT } from "./parse-lock.ts";

/**
 * The text of a lock, or of a need list, if imgpack can read it again.
 *
 * @param what names it in messages, such as "lock".
 * @throws ArchiveError "too-large"
 */
export function readableLock(text: string, what: string): string {
  const bytes = Buffer.from(text);
  const excess = jsonExcess(bytes.length, bytes, LOCK_LIMIT);
  if (excess === undefined) return text;
  const { found, expected } = excess;
  throw new ArchiveError("too-large", `Cannot write ${what}: found ${found}, expected ${expected}`, {
    hint: `Make several, with fewer images each: imgpack reads no larger ${what}.`,
  });
}
