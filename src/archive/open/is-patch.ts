import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { isNeed } from "../../bundle/need/parse-need.ts";
import { BLOCK_BYTES, hasChecksum } from "../../tar/header.ts";
import { startOf } from "../../util/input-file.ts";

/** Whether a file is a patch, by its first entry; false for what cannot be read. */
export async function isPatch(path: string): Promise<boolean> {
  if (path === "-") return false;
  const start = await startOf(path, 2 * BLOCK_BYTES).catch(() => undefined);
  if (start === undefined || typeof start === "string" || !hasChecksum(start)) return false;
  return start.toString("latin1", 0, LOCK_FILE.length + 1) === `${LOCK_FILE}\0` && isNeed(start.subarray(BLOCK_BYTES));
}
