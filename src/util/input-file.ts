import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { openFifo } from "./open-fifo.ts";
import { open, readAt, stat } from "./read-disk.ts";

const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * Opens a file or a folder that the user names, without waiting: opening a FIFO the usual way blocks until it has a writer,
 * and nothing can interrupt that.
 *
 * @returns for a FIFO, which may be the pipe of a shell's `<(...)`, a stream that waits for the writer.
 */
export async function openInput(path: string): Promise<FileHandle | Readable> {
  if ((await stat(path)).isFIFO()) return await openFifo(path);
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Reads a small text that the user names, as `readText` does. */
export async function readInputText(path: string, signal: AbortSignal | undefined): Promise<string> {
  const bytes = await readInputBytes(path, MAX_TEXT_BYTES, signal);
  return bytes.toString("utf8");
}

/** Reads a file that the user names, as `readBytes` does. */
export async function readInputBytes(path: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const input = await openInput(path);
  return await readBytes("createReadStream" in input ? input.createReadStream() : input, maxBytes, signal);
}

/** The first bytes of a file that the user names, fewer if it is shorter; of a pipe nothing is read. */
export async function startOf(path: string, bytes: number): Promise<Buffer | "folder" | "pipe"> {
  const stats = await stat(path);
  if (stats.isDirectory()) return "folder";
  if (!stats.isFile()) return "pipe";
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const start = Buffer.alloc(bytes);
  return start.subarray(0, await readAt(file, path, start, 0));
}

/**
 * Reads a small regular file. It never waits: a FIFO can take the place of a file that was checked before.
 *
 * @param flags for `open` in addition, such as O_NOFOLLOW.
 * @returns what was found in place of such a file.
 * @throws StorageError for a file that the system does not open or read.
 */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  flags = 0,
): Promise<Buffer | "no regular file" | "too large"> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  const stats = await file.stat();
  if (!stats.isFile()) return "no regular file";
  if (stats.size > maxBytes) return "too large";
  const bytes = Buffer.alloc(stats.size);
  return bytes.subarray(0, await readAt(file, path, bytes, 0));
}

/**
 * Reads a small text, and destroys the stream.
 *
 * @throws RangeError for more than 64 MiB; errors of the system; the signal's reason.
 */
export async function readText(stream: Readable, signal: AbortSignal | undefined): Promise<string> {
  return (await readBytes(stream, MAX_TEXT_BYTES, signal)).toString("utf8");
}

/**
 * Reads a stream to its end, and destroys it.
 *
 * @throws RangeError for more than `maxBytes`; errors of the system; the signal's reason.
 */
export async function readBytes(stream: Readable, maxBytes: number, signal: AbortSignal | undefined): Promise<Buffer> {
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
    return Buffer.concat(parts);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}
