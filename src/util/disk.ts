import { constants, type Stats, write } from "node:fs";
import { chmod, chown, type FileHandle, mkdir, open, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { errorCode } from "./error-code.ts";
import { hooked } from "./operation-hook.ts";

// Nothing else in src/ may change a file: test/architecture.test.ts enforces that.

const writeTo = promisify(write);
const UNSUPPORTED_CODES: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "ENOSYS"]);

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
      written += await hooked(operation, async (part = left) => {
        const { bytesWritten } = await this.handle.write(part, 0, part.length, at ?? null);
        return bytesWritten;
      });
    }
  }

  /** @returns the number of bytes read; less than the length of `into` only at the end of the file. */
  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.handle.read(into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async truncate(size: number): Promise<void> {
    await hooked({ kind: "truncate", target: this.path, size }, async () => await this.handle.truncate(size));
  }

  async datasync(): Promise<void> {
    await hooked({ kind: "datasync", target: this.path }, async () => await this.handle.datasync());
  }

  async sync(): Promise<void> {
    await hooked({ kind: "sync", target: this.path }, async () => await this.handle.sync());
  }

  async stat(): Promise<Stats> {
    return await this.handle.stat();
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
  return await hooked({ kind: "create", target: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens or creates a file so that every write goes to its end; fails for a symbolic link. */
export async function openForAppend(path: string, mode: number): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  return await hooked({ kind: "create", target: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens an existing file for reading and writing; fails for a symbolic link. */
export async function openForUpdate(path: string): Promise<DiskFile> {
  return new DiskFile(path, await open(path, constants.O_RDWR | constants.O_NOFOLLOW));
}

/** Opens an existing file or device for writing from its start; a file becomes empty. */
export async function openEmptied(path: string): Promise<DiskFile> {
  const flags = constants.O_WRONLY | constants.O_TRUNC;
  return await hooked(
    { kind: "truncate", target: path, size: 0 },
    async () => new DiskFile(path, await open(path, flags)),
  );
}

/** Writes all bytes to a descriptor that is open already, such as a redirected stdout. @param name for the hook */
export async function writeToDescriptor(descriptor: number, name: string, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const left = bytes.subarray(written);
    written += await hooked({ kind: "write", target: name, bytes: left }, async (part = left) => {
      const { bytesWritten } = await writeTo(descriptor, part, 0, part.length, null);
      return bytesWritten;
    });
  }
}

export async function renameFile(from: string, to: string): Promise<void> {
  await hooked({ kind: "rename", target: from, to }, async () => await rename(from, to));
}

export async function removeFile(path: string): Promise<void> {
  await hooked({ kind: "remove", target: path }, async () => await unlink(path));
}

/** Removes a file if it exists. */
export async function discardFile(path: string): Promise<void> {
  await removeFile(path).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
}

/** Removes a folder with everything in it, if it exists. */
export async function removeTree(path: string): Promise<void> {
  await hooked({ kind: "remove", target: path }, async () => await rm(path, { recursive: true, force: true }));
}

export async function removeFolder(path: string): Promise<void> {
  await hooked({ kind: "remove", target: path }, async () => await rmdir(path));
}

/**
 * @param options with `recursive`, missing parent folders are created too, and an existing folder is no error.
 * @returns with `recursive`, the first folder that was created.
 */
export async function makeFolder(
  path: string,
  options: { readonly mode?: number; readonly recursive?: boolean } = {},
): Promise<string | undefined> {
  return await hooked({ kind: "make-folder", target: path }, async () => {
    if (options.recursive === true) return await makeFolders(path, options.mode);
    await mkdir(path, options);
    return undefined;
  });
}

/**
 * Makes a folder and those above it. Node 20's own recursion never ends where the system says ENOENT below a folder that
 * exists, as in /proc.
 */
async function makeFolders(path: string, mode: number | undefined): Promise<string | undefined> {
  const make = async (): Promise<boolean> => {
    try {
      await mkdir(path, { mode });
      return true;
    } catch (error) {
      if ((await stat(path).catch(() => undefined))?.isDirectory() === true) return false;
      throw error;
    }
  };
  try {
    return (await make()) ? path : undefined;
  } catch (error) {
    const above = dirname(path);
    if (errorCode(error) !== "ENOENT" || above === path) throw error;
    const first = await makeFolders(above, mode);
    return (await make()) ? (first ?? path) : first;
  }
}

/** @param mode as in `chmod`, for example 0o700. */
export async function changeMode(path: string, mode: number): Promise<void> {
  await hooked({ kind: "write", target: path }, async () => await chmod(path, mode));
}

export async function changeOwner(path: string, user: number, group: number): Promise<void> {
  await hooked({ kind: "write", target: path }, async () => await chown(path, user, group));
}

/** Makes a rename or a new entry in `folder` survive a power cut, if the file system supports that. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder for writing; NTFS journals the rename itself.
  if (process.platform === "win32") return;
  await hooked({ kind: "sync-folder", target: folder }, async () => {
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
