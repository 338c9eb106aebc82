import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ImageApi, imageApi } from "./image-api.ts";
import { poll } from "./poll.ts";
import { findTool, type RunOptions, type RunResult, run } from "./run.ts";
import { startProcess } from "./started-process.ts";
import { createTempFolder, type TempFolder } from "./temp-folder.ts";

export interface Podman {
  /** Runs podman over storage of its own; containers need --network none, registries --tls-verify=false. */
  podman(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The words that start it, for a script. */
  readonly words: readonly string[];
  close(): Promise<void>;
}

export interface PodmanService extends Podman {
  /** Path of its Unix socket. */
  readonly socket: string;
  /** Of its storage, with `root`, `run` and `containers.conf`. */
  readonly folder: string;
  /** For tests of many archives. */
  readonly images: ImageApi;
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

/** Storage of its own for podman, as flags and a configuration file. @throws {Error} without root's rights */
async function createStorage(): Promise<{
  readonly folder: TempFolder;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}> {
  if (process.getuid?.() !== 0) throw new Error("Cannot keep storage for podman: not root, expected root's rights");
  const folder = await createTempFolder();
  const configFile = join(folder.path, "containers.conf");
  // Its default, shared memory, is one for all storages, and each new storage frees the locks of all others.
  await writeFile(configFile, '[engine]\nlock_type = "file"\n');
  const flags = [
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
  return { folder, flags, env: { CONTAINERS_CONF: configFile } };
}

/**
 * Storage of its own for podman, under root only: without root podman gives the files to other users, whom we cannot
 * clean up after, and leaves a process behind.
 * @param enter words before its command, as those of a namespace
 * @throws {Error} without root's rights
 */
export async function createPodman(enter: readonly string[] = []): Promise<Podman> {
  const { folder, flags, env } = await createStorage();
  const [first = "podman", ...rest] = [...enter, "podman", ...flags];
  return {
    podman: (args, options = {}) => run(first, [...rest, ...args], { ...options, env: { ...env, ...options.env } }),
    words: ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), first, ...rest],
    close: () => folder.remove(),
  };
}

/**
 * The same as a service: one process for all archives.
 * @throws {Error} without root's rights, or with its log when it does not answer within 20 seconds
 */
export async function startPodmanService(): Promise<PodmanService> {
  const { folder, flags, env } = await createStorage();
  const socket = join(folder.path, "p.sock");
  const server = startProcess("podman", [...flags, "system", "service", "--time=0", `unix://${socket}`], env);
  const images = imageApi(socket);
  const close = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  const podman: Podman["podman"] = (args, options = {}) =>
    run("podman", [...flags, ...args], { ...options, env: { ...env, ...options.env } });
  try {
    await poll(
      async () => {
        if (server.hasEnded()) throw new Error(`Cannot start podman's service: it ended\n${server.log()}`);
        return await images.ids().catch(() => undefined);
      },
      { timeoutMs: 20_000, describe: () => `Cannot start podman's service: no answer\n${server.log()}` },
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    socket,
    folder: folder.path,
    podman,
    words: ["podman", ...flags],
    images: {
      ...images,
      async load(archive) {
        // The API takes no folder.
        if (!(await stat(archive)).isDirectory()) return await images.load(archive);
        const { code, stderr } = await podman(["load", "--input", archive]);
        return code === 0 ? undefined : stderr;
      },
    },
    close,
  };
}
