import { StorageError } from "../../../errors.ts";
import type { LockResult } from "../../../index.ts";
import { counted, escapeForeign, formatBytes, formatDuration, quote, shortId } from "../../../util/format.ts";
import { replaceFile } from "../../../util/replace-file.ts";
import { storageState } from "../../../util/system-fault.ts";
import { type Context, printLine } from "../../context.ts";
import { table } from "../../screen/table.ts";
import { isTerminal } from "../../screen/terminal.ts";
import type { View } from "../../screen/view.ts";
import type { JsonDocument } from "../json-results.ts";
import { referrersCount } from "../referrers-text.ts";
import { resultJson } from "../result-json.ts";

/** What a lock contains, as text: a table of the images, and what they take together. */
export function* lockLines(result: LockResult, bytesPerSecond: number | undefined, view: View): Generator<string> {
  const { id, images, bytes, separateBytes, archiveBytes, media, left } = result;
  yield* table(
    ["IMAGE", "DIGEST", "PLATFORMS", "REFERRERS", "SIZE", "SHARED"],
    images.map(image => [
      image.name || "(no name)",
      view.digest(image.digest),
      image.platforms.map(platform => escapeForeign(platform)).join(",") || "-",
      referrersCount(image.referrers),
      formatBytes(image.bytes),
      formatBytes(image.sharedBytes),
    ]),
    view,
    [2],
  );
  const distinct = new Set(images.map(({ digest }) => digest)).size;
  const names = distinct < images.length ? ` under ${images.length} names` : "";
  yield `${counted(distinct, "image")}${names}, ${formatBytes(bytes)} stored once, ${formatBytes(separateBytes)} stored separately`;
  const counts = media
    .map(({ medium, count }) => `${count} × ${medium === "FAT32" ? "file on FAT32" : medium}`)
    .join(", ");
  yield `Archive ${formatBytes(archiveBytes)}: at least ${counts}`;
  if (bytesPerSecond !== undefined)
    yield `Transfer ${formatDuration(archiveBytes / bytesPerSecond)} at ${formatBytes(bytesPerSecond)}/s`;
  if (left > 0) yield `Left out: ${counted(left, "image")}`;
  yield `Lock ${shortId(id)}`;
}

/** The lock on stdout, unless it goes to a file; with `--json` the result, with the lock in it. */
export function printLock(
  context: Context,
  { text, ...result }: LockResult,
  { json, output }: { readonly json?: boolean | undefined; readonly output?: string | undefined },
): void {
  if (json !== true) {
    if (output === undefined && !isTerminal(context.stdout)) context.stdout.write(text);
    return;
  }
  const lock = output === undefined ? { lock: JSON.parse(text) as JsonDocument } : { output };
  printLine(context, resultJson("lock", { ...result, ...lock }));
}

/** @throws StorageError */
export async function writeLock(path: string, { text }: LockResult): Promise<void> {
  try {
    await replaceFile(path, text);
  } catch (cause) {
    const found = storageState(cause, "no such folder");
    throw new StorageError(`Cannot write lock ${quote(path)}: ${found}, expected a writable file`, { cause });
  }
}
