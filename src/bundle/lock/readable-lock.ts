import { ArchiveError } from "../../errors.ts";
import { type JsonExcess, jsonExcess } from "../../util/json/json-excess.ts";
import { formatLock } from "./format-lock.ts";
import type { Lock } from "./lock.ts";
import { LOCK_LIMIT } from "./parse-lock.ts";

/** The text of a lock, without `needs` if they would make it unreadable: it works without them. */
export function lockText(lock: Lock): string {
  const text = formatLock(lock);
  if (lock.needs === undefined || excessOf(text) === undefined) return text;
  const { needs: _, ...rest } = lock;
  return formatLock(rest);
}

function excessOf(text: string): JsonExcess | undefined {
  const bytes = Buffer.from(text);
  return jsonExcess(bytes.length, bytes, LOCK_LIMIT);
}

/**
 * The text of a lock, or of a need list, if imgpack can read it again.
 *
 * @param what names it in messages, such as "lock".
 * @throws ArchiveError "too-large"
 */
export function readableLock(text: string, what: string): string {
  const excess = excessOf(text);
  if (excess === undefined) return text;
  const { found, expected } = excess;
  throw new ArchiveError("too-large", `Cannot write ${what}: found ${found}, expected ${expected}`, {
    hint: `Make several, with fewer images each: imgpack reads no larger ${what}.`,
  });
}
