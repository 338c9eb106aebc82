import { constants, type Stats, write } from "node:fs";
import { chmod, chown, type FileHandle, mkdir, open, rename, rm, rmdir, unlink } from "node:fs/promises";
import { promisify } from "node:util";
import { errorCode } from "./error-code.ts";
import { hooked } from "./operation-hook.ts";

export { errorCode } from "./error-code.ts";

// Nothing else in src/ changes a file: test/architecture.test.ts.

const writeTo = promisify(write);
const UNSUPPORTED_CODES: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "ENOSYS"]);

/** An open file whose changes pass the seam. */
export class DiskFile implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /**
   * Writes all of it, however short the system's writes are.
   *
   * @param position without it at the end of a file that was opened for that.
   */
  async write(bytes: Uint8Array, position?: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const at = position === undefined ? undefined : position + written;
      const left = bytes.subarray(written);
      const operation = { kind: "write", place: this.path, position: at, bytes: left } as const;
      written += await hooked(operation, async (part = left) => {
        const { bytesWritten } = await this.handle.write(part, 0, part.length, at ?? null);
        return bytesWritten;
      });
    }
  }

  /** @returns bytes read; fewer than asked for only at the end of the file. */
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
    await hooked({ kind: "truncate", place: this.path, size }, async () => await this.handle.truncate(size));
  }

  async datasync(): Promise<void> {
    await hooked({ kind: "datasync", place: this.path }, async () => await this.handle.datasync());
  }

  async sync(): Promise<void> {
    await hooked({ kind: "sync", place: this.path }, async () => await this.handle.sync());
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

/** Creates a file that must not be there, not by way of a link either, for reading and writing. */
export async function createFile(path: string, mode: number): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return await hooked({ kind: "create", place: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens a file that is there, or creates it, so that every write goes to its end; not by way of a link. */
export async function openForAppend(path: string, mode: number): Promise<DiskFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  return await hooked({ kind: "create", place: path }, async () => new DiskFile(path, await open(path, flags, mode)));
}

/** Opens a file that is there, for reading and writing; not by way of a link. */
export async function openForUpdate(path: string): Promise<DiskFile> {
  return new DiskFile(path, await open(path, constants.O_RDWR | constants.O_NOFOLLOW));
}

/** Opens what is there to be written from its beginning: a file becomes empty, a device is what it is. */
export async function openEmptied(path: string): Promise<DiskFile> {
  const flags = constants.O_WRONLY | constants.O_TRUNC;
  return await hooked(
    { kind: "truncate", place: path, size: 0 },
    async () => new DiskFile(path, await open(path, flags)),
  );
}

/** Writes all of it to the end of what somebody else opened, such as a redirected stdout. @param name for the seam */
export async function writeToDescriptor(descriptor: number, name: string, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const left = bytes.subarray(written);
    written += await hooked({ kind: "write", place: name, bytes: left }, async (part = left) => {
      const { bytesWritten } = await writeTo(descriptor, part, 0, part.length, null);
      return bytesWritten;
    });
  }
}

export async function renameFile(from: string, to: string): Promise<void> {
  await hooked({ kind: "rename", place: from, to }, async () => await rename(from, to));
}

export async function removeFile(path: string): Promise<void> {
  await hooked({ kind: "remove", place: path }, async () => await unlink(path));
}

/** Removes a file, and is content when there is none. */
export async function discardFile(path: string): Promise<void> {
  await removeFile(path).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
}

/** Removes a folder and all in it. */
export async function removeTree(path: string): Promise<void> {
  await hooked({ kind: "remove", place: path }, async () => await rm(path, { recursive: true, force: true }));
}

export async function removeFolder(path: string): Promise<void> {
  await hooked({ kind: "remove", place: path }, async () => await rmdir(path));
}

/**
 * @param options `recursive` makes the folders above, too, and is content with one that is there.
 * @returns with `recursive`, the first folder that was made.
 */
export async function makeFolder(
  path: string,
  options: { readonly mode?: number; readonly recursive?: boolean } = {},
): Promise<string | undefined> {
  return await hooked({ kind: "make-folder", place: path }, async () => await mkdir(path, options));
}

/** @param mode as in `chmod`, for example 0o700. */
export async function changeMode(path: string, mode: number): Promise<void> {
  await hooked({ kind: "write", place: path }, async () => await chmod(path, mode));
}

export async function changeOwner(path: string, user: number, group: number): Promise<void> {
  await hooked({ kind: "write", place: path }, async () => await chown(path, user, group));
}

/** Makes a rename or a new entry in `folder` survive a power cut, where the file system can. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder for writing; NTFS journals the rename itself.
  if (process.platform === "win32") return;
  await hooked({ kind: "sync-folder", place: folder }, async () => {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } catch (error) {
      // What was renamed has its name; not every file system can sync a folder.
      if (!UNSUPPORTED_CODES.has(errorCode(error))) throw error;
    } finally {
      await handle.close();
    }
  });
}
