import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureDir } from "fs-extra/esm";
import type { Probe } from "../integration/peers/describe-with.ts";
import { findTool, run } from "../integration/peers/run.ts";

/**
 * Waits for a line, and then EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h): from now on nothing reaches the disk, and what only
 * the memory had is lost.
 */
const CUT = `import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print("ready", flush=True)
sys.stdin.readline()
fcntl.ioctl(disk, 0x8004587D, struct.pack("I", 2))
`;
const TOOLS = ["python3", "mkfs.ext4", "mount", "umount", "sync"] as const;

/** A real ext4 file system whose power can be cut. */
export class CutDisk implements AsyncDisposable {
  /** Empty but for `lost+found`. */
  readonly folder: string;
  readonly #image: string;
  readonly #options: string;

  private constructor(image: string, folder: string, options: string) {
    this.#image = image;
    this.folder = folder;
    this.#options = options;
  }

  /**
   * @param place a folder for it, which does not exist yet.
   * @param isOrdered whether data goes to disk before the metadata that speaks of it; else files may show what lay there before.
   */
  static async create(place: string, bytes: number, isOrdered = true): Promise<CutDisk> {
    await ensureDir(join(place, "disk"));
    const disk = new CutDisk(
      join(place, "image"),
      join(place, "disk"),
      `loop,commit=1,data=${isOrdered ? "ordered" : "writeback"}`,
    );
    await writeFile(disk.#image, "");
    await truncate(disk.#image, bytes);
    await call("mkfs.ext4", "-q", "-F", disk.#image);
    await disk.#mount();
    return disk;
  }

  /** Everything that was written so far reaches the disk. */
  async sync(): Promise<void> {
    await call("sync", "-f", this.folder);
  }

  /** Makes ready to cut the power. @returns what does it, at once: all that is open gets errors from then on. */
  async arm(): Promise<() => Promise<void>> {
    const child = spawn("python3", ["-c", CUT, this.folder], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "close");
    await Promise.race([once(child.stdout, "data"), ended]);
    return async () => {
      child.stdin.end("cut\n");
      const [code] = await ended;
      if (code !== 0) throw new Error(`Cannot cut the power of ${this.folder}: python3 ended with ${code}`);
    };
  }

  /** The disk as the next start of the system finds it. No process may have a file of it open any more. */
  async restart(): Promise<void> {
    await call("umount", this.folder);
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: after a failed test a process may still hold it open.
    await run("umount", ["-l", this.folder]);
    await rm(this.#image, { force: true });
  }

  async #mount(): Promise<void> {
    await call("mount", "-t", "ext4", "-o", this.#options, this.#image, this.folder);
  }
}

/** Tries it out: rights, loop devices and the kernel decide. @param place as in `create`. */
export async function probeCutDisk(place: string): Promise<Probe> {
  const name = "disk whose power can be cut";
  const absent = TOOLS.find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return { name, missing: `${absent} is not installed` };
  try {
    await using disk = await CutDisk.create(place, 8 * 1024 * 1024);
    const cut = await disk.arm();
    await cut();
    await disk.restart();
    return { name, missing: undefined };
  } catch (error) {
    return { name, missing: String(error).trimEnd().slice(0, 200) };
  }
}

async function call(tool: string, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await run(tool, words);
  if (code !== 0) throw new Error(`${tool} ended with ${code}: ${stderr}`);
}
