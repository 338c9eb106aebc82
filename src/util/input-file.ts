import { constants, open } from "node:fs";
import { type FileHandle, open as openFile, stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const openDescriptor = promisify(open);

/**
 * Opens a file or a folder that the user names, without waiting: opening a FIFO the usual way blocks until it has a writer,
 * and nothing can interrupt that.
 *
 * @returns for a FIFO, which may be the pipe of a shell's `<(...)`, a stream that waits for the writer.
 */
export async function openInput(path: string): Promise<FileHandle | Readable> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  if (!(await stat(path)).isFIFO()) return await openFile(path, flags);
  return new Socket({ fd: await openDescriptor(path, flags), readable: true, writable: false });
}

/**
 * Reads a small text that the user names.
 *
 * @param maxBytes default 64 MiB.
 * @throws RangeError for more bytes; errors of the system.
 */
export async function readInputText(path: string, signal?: AbortSignal, maxBytes: number = 2 ** 26): Promise<string> {
  const input = await openInput(path);
  const stream = "createReadStream" in input ? input.createReadStream({ signal }) : input;
  const onAbort = (): void => void stream.destroy(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of stream as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString("utf8");
  } finally {
    signal?.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}
