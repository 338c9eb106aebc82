import { constants, type Stats, write, writeSync } from "node:fs";
import { chmod, chown, type FileHandle, mkdir, open, rename, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { errorCode } from "./error-code.ts";
import { hooked, type Operation, type OperationKind } from "./operation-hook.ts";
import { readAt, stat } from "./read-disk.ts";
import { type Deed, SystemFault, withSystemFaults } from "./system-fault.ts";

// Nothing else in src/ may change a file: test/architecture.test.ts enforces that.

const writeTo = promisify(write);
const DEEDS: Readonly<Record<OperationKind, Deed>> = {
  create: "create",
  write: "write",
  truncate: "write",
  datasync: "write",
  sync: "write",
  "sync-folder": "write",
  rename: "rename",
  remove: "remove",
  "make-folder": "makeFolder",
  request: "write",
};
const UNSUPPORTED_CODES: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "ENOSYS"]);

/** @throws SystemFault for an error of the system. */
async function change<T>(operation: Operation, run: (bytes?: Uint8Array) => Promise<T>): Promise<T> {
  return await withSystemFaults(DEEDS[operation.kind], operation.target, async () => await hooked(operation, run));
}

/** An open file. Every change passes the operation hook. */
export class DiskFile implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /**
   * Writes all bytes, also if the system writes fewer at a time.
   *
   * @param position default: the end, for a file opened with `openForAppend`.
   */
  async write(bytes: Uint8Array, position?: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const at = position === undefined ? undefined : position + written;
      const left = bytes.subarray(written);
      const operation = { kind: "write", target: this.path, position: at, bytes: left } as const;
      written += await change(operation, async (part = left) => {
        const { bytesWritten } = await this.handle.write(part, 0, part.length, at ?? null);
        return bytesWritten;
      });
    }
  }

  /** Writes bytes at the end before it returns, for a process that is about to end; no hook sees that. */
  appendNow(bytes: Uint8Array): void {
    writeSync(this.handle.fd, bytes);
  }

  /** @returns the number of bytes read; less than the length of `into` only at the end of the file. */
  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const bytesRead = await readAt(this.handle, this.path, into.subarray(filled), position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async truncate(size: number): Promise<void> {
    await change({ kind: "truncate", target: this.path, size }, async () => await this.handle.truncate(size));
  }

  async datasync(): Promise<void> {
    await change({ kind: "datasync", target: this.path }, async () => await this.handle.datasync());
  }

  async sync(): Promise<void> {
    await change({ kind: "sync", target: this.path }, async () => await this.handle.sync());
  }

  async stat(): Promise<Stats> {
    return await withSystemFaults("read", this.path, async () => await this.handle.stat());
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Creates a new file for reading and writing; fails if the path exists, even as a symbolic link. */
export async function createFile(path: string, mode: number): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return await change({ kind: "create", target: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens or creates a file so that every write goes to its end; fails for a symbolic link. */
export async function openForAppend(path: string, mode: number): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  return await change({ kind: "create", target: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens an existing file for reading and writing; fails for a symbolic link. */
export async function openForUpdate(path: string): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW;
  return await withSystemFaults("write", path, async () => new DiskFile(path, await open(path, flags)));
}

/** Opens an existing file or device for writing from its start; a file becomes empty. */
export async function openEmptied(path: string): Promise<DiskFile> {
  const flags = constants.O_WRONLY | constants.O_TRUNC;
  return await change(
    { kind: "truncate", target: path, size: 0 },
    async () => new DiskFile(path, await open(path, flags)),
  );
}

/** Writes all bytes to a descriptor that is open already, such as a redirected stdout. @param name for the hook */
export async function writeToDescriptor(descriptor: number, name: string, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const left = bytes.subarray(written);
    written += await change({ kind: "write", target: name, bytes: left }, async (part = left) => {
      const { bytesWritten } = await writeTo(descriptor, part, 0, part.length, null);
      return bytesWritten;
    });
  }
}

/** The same, before it returns, for lines on a redirected stdout; no hook sees that. @throws errors of the system. */
export function writeToDescriptorNow(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

export async function renameFile(from: string, to: string): Promise<void> {
  await change({ kind: "rename", target: from, to }, async () => await rename(from, to));
}

export async function removeFile(path: string): Promise<void> {
  await change({ kind: "remove", target: path }, async () => await unlink(path));
}

/** Removes a file if it exists. */
export async function discardFile(path: string): Promise<void> {
  await removeFile(path).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
}

/** Removes a folder with everything in it, if it exists. */
export async function removeTree(path: string): Promise<void> {
  await change({ kind: "remove", target: path }, async () => await rm(path, { recursive: true, force: true }));
}

export async function removeFolder(path: string): Promise<void> {
  await change({ kind: "remove", target: path }, async () => await rmdir(path));
}

/** @param mode as in `mkdir`. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  await change({ kind: "make-folder", target: path }, async () => await mkdir(path, mode));
}

/**
 * Creates a folder and the missing folders above it, one by one: `mkdir` of Node.js 20 with `recursive` never ends where
 * the system reports no parent for a new folder, as below /proc.
 *
 * @returns what was created, the highest first; none if the folder exists.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    await makeFolder(folder, mode).catch(async error => {
      // Another process may create the same folders.
      if (errorCode(error) !== "EEXIST" || !(await isFolder(folder))) throw error;
    });
  }
  return missing;
}

/** False for a path that does not exist. @throws SystemFault for anything but a folder. */
async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(error => {
    if (errorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
  });
  if (stats === undefined || stats.isDirectory()) return stats !== undefined;
  throw new SystemFault("makeFolder", path, Object.assign(new Error("a file"), { code: "ENOTDIR", syscall: "mkdir" }));
}

/** @param mode as in `chmod`, for example 0o700. */
export async function changeMode(path: string, mode: number): Promise<void> {
  await change({ kind: "write", target: path }, async () => await chmod(path, mode));
}

export async function changeOwner(path: string, user: number, group: number): Promise<void> {
  await change({ kind: "write", target: path }, async () => await chown(path, user, group));
}

/** Makes a rename or a new entry in `folder` survive a power cut, if the file system supports that. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder for writing; NTFS journals the rename itself.
  if (process.platform === "win32") return;
  await change({ kind: "sync-folder", target: folder }, async () => {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } catch (error) {
      // The rename itself is done; not every file system can sync a folder.
      if (!UNSUPPORTED_CODES.has(errorCode(error))) throw error;
    } finally {
      await handle.close();
    }
  });
}
