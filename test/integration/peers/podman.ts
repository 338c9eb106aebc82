import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool, type RunOptions, type RunResult, run } from "./run.ts";
import { createTempFolder } from "./temp-folder.ts";

export interface Podman {
  /** Runs podman over storage of its own; containers need --network none, registries --tls-verify=false. */
  podman(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
}

/**
 * Flags of `podman run` that work where the hard limits are below podman's defaults and the container may not raise
 * them, as on most build machines.
 */
export const podmanRunFlags: readonly string[] = [
  "--rm",
  "--network=none",
  "--ulimit=nofile=1024:1024",
  "--ulimit=nproc=1024:1024",
];

/**
 * Storage of its own for podman, under root only: without root podman gives the files to other users, whom we cannot
 * clean up after, and leaves a process behind.
 * @throws {Error} without root's rights
 */
export async function createPodman(): Promise<Podman> {
  if (process.getuid?.() !== 0) throw new Error("Cannot keep storage for podman: not root, expected root's rights");
  const folder = await createTempFolder();
  const configFile = join(folder.path, "containers.conf");
  // Its default, shared memory, is one for all storages, and each new storage frees the locks of all others.
  await writeFile(configFile, '[engine]\nlock_type = "file"\n');
  const storage = [
    "--root",
    join(folder.path, "root"),
    "--runroot",
    join(folder.path, "run"),
    "--tmpdir",
    join(folder.path, "tmp"),
    "--storage-driver",
    "vfs",
    // systemd is not there in a container or on a build machine.
    "--cgroup-manager",
    "cgroupfs",
    "--events-backend",
    "none",
    // crun before 1.9 refuses cgroups in hybrid mode.
    ...(findTool("runc") === undefined ? [] : ["--runtime", "runc"]),
  ];
  return {
    podman: (args, options = {}) =>
      run("podman", [...storage, ...args], { ...options, env: { CONTAINERS_CONF: configFile, ...options.env } }),
    close: () => folder.remove(),
  };
}
