import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "./poll.ts";
import { run } from "./run.ts";

export interface TempFolder {
  readonly path: string;
  /** Ends processes started on the folder and unmounts what they left mounted below; then removes it. */
  remove(): Promise<void>;
}

/** A new folder with a short path: a Unix socket's path must stay below 108 bytes. */
export async function createTempFolder(): Promise<TempFolder> {
  const base = tmpdir().length > 60 ? "/tmp" : tmpdir();
  const path = await mkdtemp(join(base, "imgpack-"));
  return {
    path,
    async remove() {
      await endProcessesOn(path);
      await unmountBelow(path);
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/**
 * Podman's clean-up after a container and a killed dockerd's containerd outlive their parents, and would write into
 * the folder again. Only they have its random name among their arguments.
 */
async function endProcessesOn(folder: string): Promise<void> {
  const gone = async (): Promise<true | undefined> => ((await processesOn(folder)).length === 0 ? true : undefined);
  const options = { timeoutMs: 3_000, describe: () => `Cannot remove ${folder}: processes still work on it` };
  try {
    await poll(gone, options);
  } catch {
    for (const pid of await processesOn(folder)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // gone in between
      }
    }
    await poll(gone, options);
  }
}

async function processesOn(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes(`${folder}/`)) found.push(pid);
  }
  return found;
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const points = mounts.split("\n").flatMap(line => line.split(" ")[4] ?? []);
  // The last mount first: a later one may lie on an earlier one.
  for (const point of points.reverse()) {
    if (point.startsWith(`${folder}/`)) await run("umount", ["--lazy", point]);
  }
}
