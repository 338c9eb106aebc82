import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleTorture } from "./bundle.ts";
import type { Torment } from "./watcher.ts";

/** A run that takes longer hangs. */
const HANG_MS = 60_000;
/** Memory holds what a killed process has written just as a disk does, and wears nothing out. */
const MEMORY_FOLDER = "/dev/shm";
const MIN_FREE_BYTES = 2 ** 30;
const MAX_IN_MEMORY_BYTES = 2 ** 30;

export interface Ended {
  /** null after SIGKILL. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface TortureCommand {
  /** For files of the tests; removed by `close`. */
  readonly folder: string;
  /**
   * Starts the command; it sees no environment but a home of its own, below `home`.
   *
   * @param boot file with what takes the place of the system's boot id.
   */
  start(words: readonly string[], home: string, torment?: Torment, boot?: string): Running;
  run(words: readonly string[], home: string, torment?: Torment): Promise<Ended>;
  close(): Promise<void>;
}

/** @param bytes that its folder will hold. */
export async function createTortureCommand(bytes = 0): Promise<TortureCommand> {
  const folder = await mkdtemp(join(await baseFolder(bytes), "imgpack-torture-"));
  const command = await bundleTorture(join(folder, "command"));
  const start: TortureCommand["start"] = (words, home, torment, boot) =>
    startProcess([...command, ...words], home, torment, boot);
  return {
    folder,
    start,
    run: async (words, home, torment) => await start(words, home, torment).ended,
    close: async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Where so many bytes of test data are best put. */
export async function baseFolder(bytes: number): Promise<string> {
  if (bytes > MAX_IN_MEMORY_BYTES) return tmpdir();
  const memory = await statfs(MEMORY_FOLDER).catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize > MIN_FREE_BYTES ? MEMORY_FOLDER : tmpdir();
}

function startProcess(
  [file, ...words]: readonly [file: string, ...words: string[]],
  home: string,
  torment: Torment | undefined,
  boot: string | undefined,
): Running {
  const child = spawn(file, words, {
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_RUNTIME_DIR: join(home, "runtime"),
      DOCKER_CONFIG: join(home, "docker"),
      IMGPACK_CACHE_DIR: join(home, "cache"),
      ...(boot === undefined ? {} : { IMGPACK_TORTURE_BOOT: boot }),
      ...(torment === undefined ? {} : { IMGPACK_TORTURE: JSON.stringify(torment) }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    parts.stdout += part;
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    parts.stderr += part;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const guard = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`imgpack hangs: ${words.join(" ")}\n${parts.stderr}`));
    }, HANG_MS);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(guard);
      resolve({ code, signal, ...parts });
    });
  });
  return { child, ended };
}

/** Runs `work` for each item, two at a time: as many as the machines of a CI have cores. */
export async function inTwoLanes<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let isStopped = false;
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && !isStopped; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        isStopped = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled([lane(), lane()]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
