import { readableLock } from "../../bundle/lock/readable-lock.ts";
import { formatNeed } from "../../bundle/need/format-need.ts";
import type { Need } from "../../bundle/need/need.ts";
import { isNeed } from "../../bundle/need/parse-need.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { startOf } from "../../util/input-file.ts";
import { replaceFile } from "../../util/replace-file.ts";

const SNIFFED_BYTES = 256;

/**
 * Checks that a need list may be written to a path, before the work that leads to one.
 *
 * @throws UsageError if something else than a need list is there.
 */
export async function checkNeedFile(path: string): Promise<void> {
  const start = await startOf(path, SNIFFED_BYTES).catch(() => undefined);
  if (start === undefined || start === "pipe" || (typeof start !== "string" && (start.length === 0 || isNeed(start))))
    return;
  const found = start === "folder" ? "a folder" : "another file";
  throw new UsageError(`Cannot write --need ${quote(path)}: found ${found}, expected nothing or a need list`, {
    hint: "Choose another name: only a need list is replaced.",
  });
}

/** Writes or replaces a need list. @throws UsageError as `checkNeedFile`; StorageError */
export async function writeNeed(path: string, need: Need): Promise<void> {
  await checkNeedFile(path);
  await replaceFile(path, readableLock(formatNeed(need), "need list"));
}
