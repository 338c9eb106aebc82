import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { poll } from "./poll.ts";
import { type RunOptions, type RunResult, run } from "./run.ts";
import { startProcess } from "./started-process.ts";
import { createTempFolder } from "./temp-folder.ts";

export interface Containerd {
  /** Path of its Unix socket. */
  readonly address: string;
  readonly namespace: string;
  /** Runs ctr against this daemon; unpacking wants --snapshotter native. */
  ctr(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The words that start ctr, for a script. */
  readonly words: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts containerd over an empty folder.
 * @param enter words before its command and those of ctr, as those of a namespace
 * @throws {Error} with its log when it does not answer within 20 seconds
 */
export async function startContainerd(enter: readonly string[] = []): Promise<Containerd> {
  const folder = await createTempFolder();
  const address = join(folder.path, "c.sock");
  const configFile = join(folder.path, "config.toml");
  const lines = [
    "version = 2",
    `root = ${JSON.stringify(join(folder.path, "root"))}`,
    `state = ${JSON.stringify(join(folder.path, "state"))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    "[grpc]",
    `address = ${JSON.stringify(address)}`,
    "[ttrpc]",
    `address = ${JSON.stringify(`${address}.ttrpc`)}`,
    // Where the plugin's own default lies outside root.
    '[plugins."io.containerd.internal.v1.opt"]',
    `path = ${JSON.stringify(join(folder.path, "opt"))}`,
  ];
  await writeFile(configFile, `${lines.join("\n")}\n`);
  const server = startProcess("containerd", ["--config", configFile], {}, enter);
  // Of its own: runc keeps the containers of all daemons in one folder, by namespace and name.
  const namespace = basename(folder.path);
  const words = [...enter, "ctr", "--address", address, "--namespace", namespace];
  const ctr = (args: readonly string[], options?: RunOptions): Promise<RunResult> => {
    const [first = "ctr", ...rest] = [...words, ...args];
    return run(first, rest, options);
  };
  const close = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  try {
    await poll(
      async () => {
        if (server.hasEnded()) throw new Error(`Cannot start containerd: it ended\n${server.log()}`);
        return (await ctr(["--connect-timeout", "1s", "version"])).code === 0 ? true : undefined;
      },
      { timeoutMs: 20_000, describe: () => `Cannot start containerd: no answer\n${server.log()}` },
    );
    return { address, namespace, ctr, words, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of an archive: how many images ctr finds in it, and of how many of them it makes containers until one fails. */
export interface CreatedAll {
  /** 0 also when the archive is refused. */
  readonly all: number;
  readonly made: number;
}

let archives = 0;

/** Imports an archive where nothing else is, and makes a container of each image. */
export async function createAll(daemon: Containerd, archive: string): Promise<CreatedAll> {
  archives += 1;
  // Of its own: nothing that was loaded before can take the place of what is not in this archive.
  const ctr = (...args: readonly string[]): Promise<RunResult> =>
    daemon.ctr(["--namespace", `archive-${archives}`, ...args]);
  const native = ["--snapshotter", "native"];
  if ((await ctr("images", "import", ...native, archive)).code !== 0) return { all: 0, made: 0 };
  const found = (await ctr("images", "list", "--quiet")).stdout.split("\n").filter(image => image !== "");
  for (const [index, image] of found.entries()) {
    const { code } = await ctr("containers", "create", ...native, image, `test-${index}`, "/hello");
    if (code !== 0) return { all: found.length, made: index };
  }
  return { all: found.length, made: found.length };
}
