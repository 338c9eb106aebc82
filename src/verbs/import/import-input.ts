import { constants, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { RootfsCheck } from "../../archive/rootfs-check.ts";
import { detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { StorageError, UsageError } from "../../errors.ts";
import type { PackFolderOptions } from "../../transform/entry-header.ts";
import type { RawLayer } from "../../transform/imported-layer.ts";
import { packFolder, surveyFolder } from "../../transform/pack-folder.ts";
import { quote } from "../../util/format.ts";
import { checkUnchanged } from "../../util/input-guard.ts";
import { open, readAt } from "../../util/read-disk.ts";
import { storageState } from "../../util/system-fault.ts";

/** The root filesystem of an image. */
export interface ImportInput extends RawLayer, AsyncDisposable {
  /** @throws StorageError if it has changed since it was opened. Files of a folder are checked while they are read. */
  confirm(): Promise<void>;
  /**
   * "compressed" is a layer already, and does not change. "plain" is a tar on disk: one reading gives its diff_id. "made"
   * takes time: packed from a folder, or inflated from xz or bzip2.
   */
  readonly kind: "compressed" | "plain" | "made";
}

/**
 * Opens a root filesystem: a folder, or a tar, whose compression its content shows.
 *
 * @throws StorageError for a path that cannot be read; UsageError for "-".
 */
export async function openImportInput(
  path: string,
  options: PackFolderOptions,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<ImportInput> {
  if (path === "-") {
    throw new UsageError("Cannot import from stdin: it can be read only once, expected a file or a folder", {
      hint: "Save the root filesystem to a file first: its size must be known, and it is read twice.",
    });
  }
  const { file, stats } = await openInput(path);
  if (stats.isDirectory()) {
    await file.close();
    return await folderInput(path, options, onNote, signal);
  }
  try {
    return await fileInput(path, file, stats);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function folderInput(
  path: string,
  options: PackFolderOptions,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<ImportInput> {
  const what = `folder ${quote(path)}`;
  const { bytes, notes } = await surveyFolder(path, signal);
  for (const note of notes) onNote(note);
  const blob: BlobSource = {
    size: bytes,
    open: async (_range, stop) => Readable.from(packFolder(path, options, stop), { objectMode: false }),
  };
  return {
    kind: "made",
    what,
    blob,
    check: () => new RootfsCheck(what),
    async confirm() {},
    async [Symbol.asyncDispose]() {},
  };
}

async function fileInput(path: string, handle: FileHandle, stats: Stats): Promise<ImportInput> {
  if (!stats.isFile()) {
    throw new StorageError(`Cannot import ${quote(path)}: found a pipe or device, expected a tar or a folder`, {
      hint: "Save the stream to a file first: its size must be known, and it is read twice.",
    });
  }
  const what = `file ${quote(path)}`;
  const start = Buffer.alloc(MAGIC_BYTES);
  await readAt(handle, path, start, 0);
  const compression = detectCompression(start);
  const isLayer = compression === "gzip" || compression === "zstd";
  return {
    kind: compression === undefined ? "plain" : isLayer ? "compressed" : "made",
    what,
    blob: fileSliceBlob(handle, 0, stats.size, path),
    compression,
    check: () => new RootfsCheck(what),
    confirm: async () => checkUnchanged(what, stats, await handle.stat()),
    async [Symbol.asyncDispose]() {
      await handle.close();
    },
  };
}

async function openInput(path: string): Promise<{ readonly file: FileHandle; readonly stats: Stats }> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { file, stats: await file.stat() };
  } catch (cause) {
    const found = storageState(cause, "no such file");
    throw new StorageError(`Cannot import ${quote(path)}: ${found}, expected a root filesystem tar or a folder`, {
      cause,
      hint: "Check the path; it is taken from the current folder unless it begins with a slash.",
    });
  }
}
