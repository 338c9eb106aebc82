import type { Stats } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { StorageError, UsageError } from "../errors.ts";
import { errorCode } from "./error-code.ts";
import { formatBytes, quote } from "./format.ts";
import { lstat, realpath, stat, statfs } from "./read-disk.ts";
import { BROKEN_CODES, FULL_CODES, SystemFault, storageState } from "./system-fault.ts";

/** `statfs` of FAT12, FAT16 and FAT32 (linux/magic.h, MSDOS_SUPER_MAGIC). */
const FAT_TYPE = 0x4d44;
/** FAT stores the size of a file in 32 bits. */
const MAX_FAT_FILE_BYTES = 2 ** 32 - 1;

/** @throws StorageError when the path is neither a file nor free. */
export async function checkTarget(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || stats.isFile()) return;
  if (stats.isDirectory() || stats.isSymbolicLink()) {
    const [found, hint] = stats.isDirectory()
      ? ["a folder", "Name a file to write, such as images.tar."]
      : ["a symbolic link", "Name the file that it points to, or remove the link."];
    throw new StorageError(`Cannot write ${quote(path)}: found ${found}, expected a file or nothing`, { hint });
  }
  throw new StorageError(`Cannot write ${quote(path)}: found a pipe or device, expected a file or nothing`, {
    hint: 'Name "-" to write to stdout, and redirect it; or name a file such as images.tar.',
  });
}

/** What is at the path in place of a file that can be written to. */
export async function otherThanFile(path: string): Promise<"a folder" | "a symbolic link" | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) return "a folder";
  return stats?.isSymbolicLink() === true ? "a symbolic link" : undefined;
}

/**
 * Checks, before the first byte is written, that the output will fit.
 *
 * @param bytes size of the finished file or folder.
 * @param held bytes of it that are on the disk already.
 * @param largest size of the largest file in a folder, in bytes.
 * @throws StorageError with the numbers.
 */
export async function checkSpace(path: string, bytes: number, held = 0, largest: number = bytes): Promise<void> {
  const { bavail, bsize, blocks, type } = await statfs(dirname(path));
  if (type === FAT_TYPE && largest > MAX_FAT_FILE_BYTES) {
    throw new StorageError(
      `Cannot write ${quote(path)}: its file system (FAT) is limited to files smaller than ${formatBytes(MAX_FAT_FILE_BYTES + 1)}, expected room for ${formatBytes(largest)}`,
      { hint: "Write to a disk formatted with exFAT, NTFS or ext4, or pull fewer images into one file." },
    );
  }
  const free = bavail * bsize;
  const wanted = Math.max(0, bytes - held);
  // Some network and user-space file systems report no size.
  if (free >= wanted || blocks === 0) return;
  throw new StorageError(`Cannot write ${quote(path)}: ${formatBytes(free)} free, expected ${formatBytes(wanted)}`, {
    hint: "Free some space, or write to another disk.",
  });
}

/** Turns an error of the system into a StorageError that explains it. @param bytes size of the finished file. */
export function storageFault(path: string, bytes: number, cause: unknown): StorageError {
  if (cause instanceof StorageError && !(cause instanceof SystemFault)) return cause;
  const code = errorCode(cause);
  const state = storageState(cause);
  if (FULL_CODES.has(code)) {
    return new StorageError(`Cannot write ${quote(path)}: ${state}, expected room for ${formatBytes(bytes)}`, {
      cause,
      hint: "Free some space or write to another disk, then run the same command again.",
    });
  }
  if (BROKEN_CODES.has(code)) {
    return new StorageError(`Cannot write ${quote(path)}: ${state}, expected a working disk`, {
      cause,
      hint: "Check the disk or the medium, then run the same command again, or write to another disk.",
    });
  }
  return new StorageError(`Cannot write ${quote(path)}: ${state}, expected a writable folder`, {
    cause,
    hint: "Choose another output, in a folder that exists and that you may write to.",
  });
}

const OTHER_OUTPUT = "Choose another output name.";

/** What a run writes next to an output, until it is complete. */
const UNFINISHED = ["", ".partial", ".partial.journal", ".partial.lock"] as const;

/**
 * Checks that what is written does not replace what is read (security case F-04), also by another name or through a link.
 *
 * @param hint of the error.
 * @throws UsageError if the output, or its partial file, is one of the inputs, or is in one that is a folder.
 */
export async function checkApart(
  output: string,
  inputs: readonly string[],
  hint: string = OTHER_OUTPUT,
): Promise<void> {
  const written = await Promise.all(UNFINISHED.map(async ending => await found(plainPath(output) + ending)));
  const place = await locationOf(output);
  for (const input of inputs) {
    const read = await found(input);
    if (read === undefined) continue;
    if (written.some(stats => stats?.ino === read.ino && stats.dev === read.dev)) {
      throw refused(output, `it is the input ${quote(input)}, expected another file`, hint);
    }
    if (read.isDirectory() && isInside(place, await locationOf(input))) {
      throw refused(output, `it is in the input ${quote(input)}, expected a path outside of it`, hint);
    }
  }
}

/** @throws UsageError if the list is, or is in, what the run writes for the output. */
export async function checkListApart(list: string, output: string, hint: string = OTHER_OUTPUT): Promise<void> {
  const [place, location] = [await locationOf(list), await locationOf(output)];
  if (!UNFINISHED.some(ending => place === location + ending) && !isInside(place, location)) return;
  throw refused(list, `the run writes its output ${quote(output)} there, expected another file`, hint);
}

function refused(output: string, state: string, hint: string): UsageError {
  return new UsageError(`Cannot write ${quote(output)}: ${state}`, { hint });
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** A folder is written under its name without the slash. */
function plainPath(path: string): string {
  return path.replace(/[/\\]+$/, "");
}

/** The path without links, also of a file that is not there yet. */
export async function locationOf(path: string): Promise<string> {
  const whole = await realpath(path).catch(() => undefined);
  if (whole !== undefined) return whole;
  const folder = await realpath(dirname(path)).catch(() => undefined);
  return join(folder ?? resolve(dirname(path)), basename(path));
}

/** Undefined for devices: they may be both. */
async function found(path: string): Promise<Stats | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true || stats?.isDirectory() === true ? stats : undefined;
}
