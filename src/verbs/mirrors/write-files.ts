import { dirname, join } from "node:path";
import { cannotWrite, type PlannedFile } from "../../bundle/mirrors/mirror-file.ts";
import { makeFolders } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { replaceFile } from "../../util/replace-file.ts";
import type { MirrorRuntime } from "./mirrors-options.ts";

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file that a runtime reads, as it is written. */
export interface MirrorFile {
  readonly for: MirrorRuntime;
  /** Below the output folder, which it includes. */
  readonly path: string;
  /** All of it, with what was there before. */
  readonly text: string;
  /** What writing it does to the folder. */
  readonly state: "new" | "changed" | "unchanged";
}

/**
 * What each file becomes, next to what is there. Nothing is written yet, so that one refusal stops all.
 *
 * @throws StorageError for a file that is neither merged nor replaced.
 */
export async function mergeFile(
  folder: string,
  { path, otherNames = [], content }: PlannedFile,
): Promise<Omit<MirrorFile, "for">> {
  const at = join(folder, path.join("/"));
  for (const candidate of [at, ...otherNames.map(name => join(dirname(at), name))]) {
    const existing = await textOf(candidate);
    if (existing === undefined) continue;
    const text = content(existing, candidate);
    return { path: candidate, text, state: text === existing ? "unchanged" : "changed" };
  }
  return { path: at, text: content(undefined, at), state: "new" };
}

/** Each atomically. @throws StorageError */
export async function writeFiles(files: readonly MirrorFile[], signal: AbortSignal | undefined): Promise<void> {
  for (const { path, text, state } of files) {
    signal?.throwIfAborted();
    if (state === "unchanged") continue;
    await makeFolders(dirname(path));
    await replaceFile(path, text);
  }
}

/** Undefined if there is no file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const bytes = await readRegularFile(path, MAX_FILE_BYTES);
    if (typeof bytes !== "string") return bytes.toString("utf8");
    const found = bytes === "too large" ? `more than ${MAX_FILE_BYTES} bytes` : "something else than a file";
    throw cannotWrite(path, `${found}, expected a file of settings`, "Choose another folder with -o.");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    if (errorCode(error) === "ENOTDIR")
      throw cannotWrite(path, "a file where a folder should be, expected a folder", "Choose another folder with -o.");
    throw error;
  }
}
