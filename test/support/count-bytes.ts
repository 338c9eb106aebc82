import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { ThreadHash } from "../../src/content/thread-hash.ts";

/** Bytes that pass while a task runs. */
export interface ByteCounts {
  /** On this thread, and those that are handed to another one. */
  hashed: number;
  /** From files. */
  read: number;
  /** To files. */
  written: number;
}

type Method = (this: unknown, ...words: unknown[]) => unknown;

/** Counts bytes that are hashed, read and written while `task` runs: what they cost, without time. */
export async function countBytes(task: () => Promise<unknown>): Promise<ByteCounts> {
  const counts: ByteCounts = { hashed: 0, read: 0, written: 0 };
  const undo: (() => void)[] = [];
  const patch = (owner: object, name: string, counted: (original: Method) => Method): void => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    Object.defineProperty(owner, name, { ...descriptor, value: counted(descriptor.value as Method) });
    undo.push(() => Object.defineProperty(owner, name, descriptor));
  };
  const hashing = (original: Method): Method =>
    function (bytes, ...words) {
      counts.hashed += Buffer.byteLength(bytes as string | Uint8Array);
      return original.call(this, bytes, ...words);
    };
  await using handle = await open(import.meta.filename);
  const files = Object.getPrototypeOf(handle) as FileHandle;
  patch(Object.getPrototypeOf(createHash("sha256")) as object, "update", hashing);
  patch(ThreadHash.prototype, "update", hashing);
  patch(
    files,
    "read",
    original =>
      async function (...words) {
        const result = (await original.apply(this, words)) as { readonly bytesRead: number };
        counts.read += result.bytesRead;
        return result;
      },
  );
  patch(
    files,
    "write",
    original =>
      async function (...words) {
        const result = (await original.apply(this, words)) as { readonly bytesWritten: number };
        counts.written += result.bytesWritten;
        return result;
      },
  );
  try {
    await task();
  } finally {
    for (const restore of undo.reverse()) restore();
  }
  return counts;
}
