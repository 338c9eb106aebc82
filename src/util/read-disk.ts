import { open as openNumbered, type Stats, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { promisify } from "node:util";
import { withSystemFaults } from "./system-fault.ts";

// The functions of node:fs/promises that only look, with their types. They throw SystemFault, never an error of the system.
// Nothing else in src/ may take them from node:fs: test/architecture.test.ts enforces that.

/** The same function, with its overloads. */
function explained<F>(look: F & ((path: never, ...more: never[]) => unknown)): F {
  const call = async (...words: readonly unknown[]): Promise<unknown> =>
    await withSystemFaults("read", String(words[0]), async () => await Reflect.apply(look, undefined, words));
  return call as F;
}

/** Only for reading: util/disk.ts opens files for writing. */
export const open: typeof fs.open = explained(fs.open);
export const stat: typeof fs.stat = explained(fs.stat);
export const lstat: typeof fs.lstat = explained(fs.lstat);
export const statfs: typeof fs.statfs = explained(fs.statfs);
export const opendir: typeof fs.opendir = explained(fs.opendir);
export const readdir: typeof fs.readdir = explained(fs.readdir);
export const readFile: typeof fs.readFile = explained(fs.readFile);
export const readlink: typeof fs.readlink = explained(fs.readlink);
export const realpath: typeof fs.realpath = explained(fs.realpath);

/**
 * Looks at a path without waiting, for a look before each chunk that is sent: asking a thread would take longer than reading
 * the chunk.
 *
 * @returns undefined if that fails; `stat` says why.
 */
export function statNow(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The number of an open file, which the caller closes. Only for reading. */
export const openDescriptor: (path: string, flags: number) => Promise<number> = explained(
  async (path: string, flags: number) => await promisify(openNumbered)(path, flags),
);

/** Reads from an open file at `position`. @returns the number of bytes read, which may be fewer than asked for. */
export async function readAt(file: fs.FileHandle, path: string, into: Uint8Array, position: number): Promise<number> {
  const read = async (): Promise<number> => (await file.read(into, 0, into.length, position)).bytesRead;
  return await withSystemFaults("read", path, read);
}
