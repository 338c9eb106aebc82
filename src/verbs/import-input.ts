import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { type Compression, detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import { fileSliceBlob } from "../content/blob.ts";
import type { BlobSource } from "../content/contracts.ts";
import { StorageError, UsageError } from "../errors.ts";
import { RootfsCheck } from "../store/rootfs-tar.ts";
import type { PackFolderOptions } from "../transform/folder-header.ts";
import { inflatedBlob, type RawLayer } from "../transform/import-layer.ts";
import { packFolder, surveyFolder } from "../transform/pack-folder.ts";
import { quote } from "../util/format.ts";

/** What an image is made from. */
export type ImportInput =
  /** A layer already: it stays as it is. */
  | (Common & { readonly kind: "compressed"; readonly file: BlobSource; readonly compression: "gzip" | "zstd" })
  /** A tar that lies on disk: its diff_id costs one read. */
  | (Common & { readonly kind: "plain"; readonly file: BlobSource; readonly raw: RawLayer })
  /** What takes time to make: packed from a folder, or inflated from xz or bzip2. */
  | (Common & { readonly kind: "made"; readonly raw: RawLayer; readonly verb: "Packing" | "Inflating" });

interface Common extends AsyncDisposable {
  readonly what: string;
  readonly check: () => RootfsCheck;
}

/**
 * Opens a root filesystem: a tar, recognised with its compression by its content, or a folder.
 *
 * @throws StorageError for what cannot be read.
 */
export async function openImportInput(
  path: string,
  options: PackFolderOptions,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<ImportInput> {
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
  const check = (): RootfsCheck => new RootfsCheck(what);
  const raw: RawLayer = {
    what,
    sourceBytes: bytes,
    check,
    open: onBytes => ({
      size: bytes,
      open: async (_range, stop) => Readable.from(counted(packFolder(path, options, stop), bytes, onBytes)),
    }),
  };
  return { kind: "made", verb: "Packing", what, check, raw, async [Symbol.asyncDispose]() {} };
}

/** Reports `total` in all, however far from it the truth is. */
async function* counted(
  parts: AsyncIterable<Uint8Array>,
  total: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let left = total;
  for await (const part of parts) {
    const step = Math.min(left, part.length);
    left -= step;
    onBytes(step);
    yield part;
  }
  onBytes(left);
}

async function fileInput(path: string, handle: FileHandle, stats: Stats): Promise<ImportInput> {
  if (!stats.isFile()) {
    throw new StorageError(`Cannot import ${quote(path)}: found a pipe or device, expected a tar or a folder`, {
      hint: "Save the stream to a file first: its size has to be known, and it is read twice.",
    });
  }
  const what = `file ${quote(path)}`;
  const start = Buffer.alloc(MAGIC_BYTES);
  await handle.read(start, 0, MAGIC_BYTES, 0);
  const compression: Compression | undefined = detectCompression(start);
  const file = fileSliceBlob(handle, 0, stats.size, path);
  const common = {
    what,
    check: (): RootfsCheck => new RootfsCheck(what),
    async [Symbol.asyncDispose]() {
      await handle.close();
    },
  };
  if (compression === "gzip" || compression === "zstd") return { ...common, kind: "compressed", file, compression };
  const { check } = common;
  const layer = { what, check, sourceBytes: stats.size };
  if (compression === undefined) {
    return { ...common, kind: "plain", file, raw: { ...layer, open: onBytes => countedBlob(file, onBytes) } };
  }
  const raw = { ...layer, open: (onBytes: (bytes: number) => void) => inflatedBlob(file, compression, what, onBytes) };
  return { ...common, kind: "made", verb: "Inflating", raw };
}

function countedBlob(file: BlobSource, onBytes: (bytes: number) => void): BlobSource {
  const { pump } = file;
  return {
    size: file.size,
    open: async (range, signal) => await file.open(range, signal),
    ...(pump === undefined
      ? {}
      : {
          pump: async (sink, signal) =>
            await pump.call(
              file,
              async (chunk, position) => {
                onBytes(chunk.length);
                await sink(chunk, position);
              },
              signal,
            ),
        }),
  };
}

async function openInput(path: string): Promise<{ readonly file: FileHandle; readonly stats: Stats }> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { file, stats: await file.stat() };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const found = code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : code;
    throw new StorageError(`Cannot import ${quote(path)}: ${found}, expected a root filesystem tar or a folder`, {
      cause,
      hint: "Check the path; it is taken from the current folder unless it begins with a slash.",
    });
  }
}

/** @throws UsageError when an archive would become part of the folder that it is made from. */
export async function checkApart(input: string, output: string): Promise<void> {
  const folder = await realpath(input);
  if (!(await stat(folder)).isDirectory()) return;
  const parent = await realpath(dirname(output)).catch(() => undefined);
  if (parent === undefined || !join(parent, basename(output)).startsWith(folder.replace(/\/$/, "") + sep)) return;
  throw new UsageError(`Cannot write ${quote(output)}: it lies in ${quote(input)}, expected a place outside of it`, {
    hint: "An archive inside the folder would become a part of the image.",
  });
}
