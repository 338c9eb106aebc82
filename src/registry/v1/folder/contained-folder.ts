import { constants, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { StorageError } from "../../../errors.ts";
import { formatBytes, quote } from "../../../util/format.ts";
import { readRegularFile } from "../../../util/input-file.ts";
import { open, readdir, realpath, stat } from "../../../util/read-disk.ts";
import { SystemFault } from "../../../util/system-fault.ts";

/** A folder that is only read, and that no symlink leads out of. Names are paths in it, whose parts the caller has checked. */
export class ContainedFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async at(path: string): Promise<ContainedFolder> {
    return new ContainedFolder(await realpath(path));
  }

  /** Names in it, sorted; undefined if there is no such folder. */
  async names(name: string): Promise<readonly string[] | undefined> {
    const path = await this.#inside(name);
    return path === undefined ? undefined : (await readdir(path)).sort();
  }

  async isFolder(name: string): Promise<boolean> {
    const path = await this.#inside(name);
    return path !== undefined && (await stat(path)).isDirectory();
  }

  async has(name: string): Promise<boolean> {
    return (await this.#inside(name)) !== undefined;
  }

  /** A small file; undefined if it does not exist. */
  async read(maxBytes: number, name: string): Promise<Buffer | undefined> {
    const path = await this.#inside(name);
    if (path === undefined) return undefined;
    const found = await readRegularFile(path, maxBytes, constants.O_NOFOLLOW);
    if (found === "no regular file") throw fault(path, found, "a file");
    if (found === "too large")
      throw fault(path, `more than ${formatBytes(maxBytes)}`, `at most ${formatBytes(maxBytes)}`);
    return found;
  }

  /** A regular file, which the caller closes; undefined if it does not exist. */
  async open(name: string): Promise<{ readonly file: FileHandle; readonly stats: Stats } | undefined> {
    const path = await this.#inside(name);
    if (path === undefined) return undefined;
    // Opening a FIFO the usual way would wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stats = await file.stat();
    if (stats.isFile()) return { file, stats };
    await file.close();
    throw fault(path, "no regular file", "a file");
  }

  async #inside(name: string): Promise<string | undefined> {
    const path = join(this.#root, name);
    let real: string;
    try {
      real = await realpath(path);
    } catch (error) {
      if (error instanceof SystemFault && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return undefined;
      throw error;
    }
    if (real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) return real;
    throw fault(path, "a symlink that leads out of the folder", "a file in it");
  }
}

function fault(path: string, found: string, expected: string): StorageError {
  return new StorageError(`Cannot read ${quote(path)}: found ${found}, expected ${expected}`);
}
