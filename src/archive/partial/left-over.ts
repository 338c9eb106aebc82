import type { Stats } from "node:fs";
import { StorageError } from "../../errors.ts";
import { type DiskFile, openForUpdate } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { isOwnedByUser } from "../../util/private-file.ts";
import { lstat } from "../../util/read-disk.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import type { JournalState } from "./journal-state.ts";
import { decodeMarker, MARKER_BYTES } from "./partial-marker.ts";

/** What an interrupted run left under the partial name, or under the final one. */
export interface LeftOver extends AsyncDisposable {
  readonly file: DiskFile;
  /** In its marker; undefined without one. */
  readonly command: string | undefined;
  /** True if no byte of it was ever written. */
  readonly isEmpty: boolean;
  /** True if the journal is about this file. */
  readonly isPaired: boolean;
  /** True if its first block, which is written when everything else is synced, and its size are those of the plan. */
  readonly isWhole: boolean;
  /** True if it is renamed already, so that only the journal was left to remove. */
  readonly isFinal: boolean;
  /** Keeps the file open. */
  release(): void;
}

/** @param isRenamed true if the file under the final name is this archive, whatever the journal says. */
export async function openLeftOver(
  path: string,
  plan: ArchivePlan,
  command: string,
  state: JournalState | undefined,
  isRenamed = false,
): Promise<LeftOver | undefined> {
  const partial = `${path}.partial`;
  const found = await lstat(partial).catch(() => undefined);
  const isOwn = state?.isDone === true && state.open.plan === plan.id && state.open.command === command;
  const isFinal = found === undefined && (isRenamed || isOwn);
  const final = isFinal ? await lstat(path).catch(() => undefined) : undefined;
  if (found === undefined && final?.size !== plan.totalBytes) return undefined;
  if (found !== undefined && !isOwnFile(found)) {
    throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial file, expected none`, {
      hint: "Remove it, or choose another output name.",
    });
  }
  const file = await openForUpdate(isFinal ? path : partial);
  const first = Buffer.alloc(MARKER_BYTES);
  let size: number;
  try {
    await file.read(first, 0);
    ({ size } = await file.stat());
  } catch (error) {
    await file.close();
    throw error;
  }
  const marker = decodeMarker(first);
  const isWhole = first.equals(plan.firstBlock) && size === plan.totalBytes;
  const isOfPlan = isWhole && state?.open.plan === plan.id;
  let isKept = false;
  return {
    file,
    command: marker?.command,
    isEmpty: first.every(byte => byte === 0),
    isWhole,
    isPaired: isOfPlan || (marker !== undefined && marker.nonce === state?.open.nonce),
    isFinal,
    release: () => {
      isKept = true;
    },
    [Symbol.asyncDispose]: async () => (isKept ? undefined : await file.close()),
  };
}

function isOwnFile(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && isOwnedByUser(stats);
}
