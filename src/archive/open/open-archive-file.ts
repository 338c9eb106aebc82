import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { decompress } from "../../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { fileSliceBlob } from "../../content/blob.ts";
import { StorageError, UsageError } from "../../errors.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import { errorCode } from "../../util/error-code.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { openInput } from "../../util/input-file.ts";
import { blameChangedInput, checkUnchanged } from "../../util/input-guard.ts";
import { readAt, stat } from "../../util/read-disk.ts";
import { SystemFault, storageState } from "../../util/system-fault.ts";
import type { Archive } from "../archive.ts";
import { FolderArchive } from "./folder-archive.ts";
import { nearestFile } from "./nearest-file.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";
import { openPipe } from "./open-pipe.ts";
import { ReadCount } from "./read-count.ts";
import { type ScanOptions, StreamedArchive } from "./streamed-archive.ts";
import { TarArchive } from "./tar-archive.ts";

/**
 * Opens an image archive by its content: a plain tar for reads in any order; a compressed tar or a pipe (`-` is stdin) as
 * a streamed archive, which is read here for the first time; or a folder.
 *
 * @throws StorageError if the file cannot be opened; ArchiveError if it is no archive.
 */
export async function openArchiveFile(path: string, options: OpenArchiveOptions = {}): Promise<Archive> {
  const scan = options.scan ?? (async (scan: ScanOptions) => await StreamedArchive.scan(scan));
  if (path === "-") {
    const stdin = options.stdin ?? process.stdin;
    try {
      return await scanPipe(path, stdin, options, scan);
    } catch (error) {
      // The process would wait for the end of an open stdin.
      stdin.destroy();
      throw error;
    }
  }
  if (isEngineName(path)) return await openFromEngine(path, options, scan);
  const { input, stats } = await openPath(path);
  // A FIFO whose writer has not come yet cannot be opened and closed like a file.
  if (input instanceof Readable) {
    try {
      return await scanPipe(path, input, options, scan);
    } catch (error) {
      input.destroy();
      throw error;
    }
  }
  const handle = input;
  try {
    if (stats.isDirectory()) {
      await handle.close();
      return await FolderArchive.open(path, options);
    }
    if (!stats.isFile()) {
      const pipe = handle.createReadStream({ autoClose: false });
      return await scanPipe(path, pipe, options, scan, handle);
    }
    const confirm = async (): Promise<void> => checkUnchanged(`archive ${quote(path)}`, stats, await handle.stat());
    return await blameChangedInput(confirm, async () => {
      const start = Buffer.alloc(MAGIC_BYTES);
      await readAt(handle, path, start, 0);
      const compression = detectCompression(start);
      if (compression === undefined) return await TarArchive.open(path, handle, stats, options);
      const { onNote, onRead, signal } = options;
      const count = new ReadCount(onRead, stats.size);
      return await count.endAfter(
        async () =>
          await scan({
            path,
            fileBytes: () => stats.size,
            compression,
            async open(signal) {
              const compressed = count.of(await fileSliceBlob(handle, 0, stats.size, path).open(undefined, signal));
              return decompress(
                Readable.from(compressed, { objectMode: false }),
                compression,
                `archive ${quote(path)}`,
                signal,
              );
            },
            isReopenable: true,
            confirm,
            file: handle,
            onNote,
            signal,
          }),
      );
    });
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** @throws UsageError where only files can be read; what the engine says. */
async function openFromEngine(
  path: string,
  options: OpenArchiveOptions,
  scan: (scan: ScanOptions) => Promise<StreamedArchive>,
): Promise<StreamedArchive> {
  if (options.engine === undefined) {
    throw new UsageError(`Cannot read ${quote(path)}: it is an image of an engine, expected a file or folder`, {
      hint: `Write it to a file first: imgpack convert ${escapeForeign(path)} app.tar.`,
    });
  }
  const pipe = await options.engine(path, options.signal);
  try {
    return await scanPipe(path, pipe, options, scan);
  } catch (error) {
    pipe.destroy();
    throw error;
  }
}

async function scanPipe(
  path: string,
  pipe: Readable,
  options: OpenArchiveOptions,
  scan: (scan: ScanOptions) => Promise<StreamedArchive>,
  file?: AsyncDisposable,
): Promise<StreamedArchive> {
  const count = new ReadCount(options.onRead);
  return await count.endAfter(async () => await scan(await openPipe(path, pipe, options, count, file)));
}

async function openPath(path: string): Promise<{ readonly input: FileHandle | Readable; readonly stats: Stats }> {
  try {
    const input = await openInput(path);
    return { input, stats: await (input instanceof Readable ? stat(path) : input.stat()) };
  } catch (cause) {
    throw await openFault(path, cause);
  }
}

async function openFault(path: string, cause: unknown): Promise<StorageError | UsageError> {
  if (errorCode(cause) !== "ENOENT") {
    const hint = cause instanceof SystemFault ? cause.hint : undefined;
    return new StorageError(`Cannot read archive ${quote(path)}: ${storageState(cause)}, expected a readable file`, {
      cause,
      hint,
    });
  }
  if (isV1Reference(path)) {
    return new UsageError(`Cannot read archive ${quote(path)}: found a reference, expected an image archive`, {
      cause,
      hint: "Pull the image into an archive first: imgpack pull REFERENCE -o app.tar.",
    });
  }
  const near = await nearestFile(path);
  const hint =
    near === undefined
      ? "Check the path; it is taken from the current folder unless it begins with a slash."
      : `Did you mean ${quote(near)}?`;
  return new StorageError(`Cannot read archive ${quote(path)}: no such file, expected an image archive`, {
    cause,
    hint,
  });
}
