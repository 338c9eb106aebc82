import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { outputJson } from "fs-extra/esm";
import { type ImageApi, imageApi } from "./image-api.ts";
import { poll } from "./poll.ts";
import { type RunOptions, type RunResult, run } from "./run.ts";
import { startProcess } from "./started-process.ts";
import { createTempFolder } from "./temp-folder.ts";

export interface DockerdOptions {
  /** vfs works on every file system, as native does for the containerd image store; overlay2 is what people have. */
  readonly storageDriver?: "vfs" | "overlay2" | "native";
  /** The daemon's configuration file, such as {"features": {"containerd-snapshotter": true}}. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Words before its command, as those of a namespace. */
  readonly enter?: readonly string[];
  /** Added to the environment of the daemon. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Dockerd {
  /** Path of its Unix socket. */
  readonly socket: string;
  readonly version: string;
  /** Runs the docker command against this daemon, with a configuration folder of its own (no stored logins). */
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** For tests of many archives. */
  readonly images: ImageApi;
  close(): Promise<void>;
}

/**
 * Starts a docker daemon over an empty folder, without a network: containers need --network none.
 * @throws {Error} with its log when it does not answer within 30 seconds, as without root's rights
 */
export async function startDockerd(options: DockerdOptions = {}): Promise<Dockerd> {
  const folder = await createTempFolder();
  const socket = join(folder.path, "d.sock");
  const configFile = join(folder.path, "daemon.json");
  const clientFolder = join(folder.path, "client");
  await mkdir(clientFolder);
  await outputJson(configFile, options.config ?? {});
  const server = startProcess(
    "dockerd",
    [
      `--config-file=${configFile}`,
      `--data-root=${join(folder.path, "data")}`,
      `--exec-root=${join(folder.path, "exec")}`,
      `--pidfile=${join(folder.path, "d.pid")}`,
      `--host=unix://${socket}`,
      `--storage-driver=${options.storageDriver ?? "vfs"}`,
      "--iptables=false",
      "--bridge=none",
    ],
    options.env,
    options.enter,
  );
  const docker = (args: readonly string[], runOptions: RunOptions = {}): Promise<RunResult> =>
    run("docker", args, {
      ...runOptions,
      env: {
        DOCKER_HOST: `unix://${socket}`,
        DOCKER_CONFIG: clientFolder,
        DOCKER_BUILDKIT: "0",
        DOCKER_CONTEXT: undefined,
        ...runOptions.env,
      },
    });
  const close = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  try {
    const version = await poll(
      async () => {
        if (server.hasEnded()) throw new Error(`Cannot start dockerd: it ended\n${server.log()}`);
        const answer = await docker(["version", "--format", "{{.Server.Version}}"]);
        return answer.code === 0 ? answer.stdout.trim() : undefined;
      },
      { timeoutMs: 30_000, describe: () => `Cannot start dockerd: no answer\n${server.log()}` },
    );
    return { socket, version, docker, images: imageApi(socket), close };
  } catch (error) {
    await close();
    throw error;
  }
}
