import { createReadStream } from "node:fs";
import { startContainerd } from "../peers/containerd.ts";
import { type Probe, probeContainerd, probeDockerd, probePodman } from "../peers/describe-with.ts";
import { startDockerd } from "../peers/dockerd.ts";
import { createPodman } from "../peers/podman.ts";
import { type RunResult, run } from "../peers/run.ts";

export type RuntimeName = "docker" | "podman" | "containerd";

/** What a runtime holds under a name: as much of it as the runtime tells. */
export interface LoadedImage {
  /** Of the config. */
  readonly imageId?: string;
  readonly diffIds?: readonly string[];
  /** Of the manifest or index. */
  readonly digest?: string;
}

export interface Runtime {
  readonly name: RuntimeName;
  readonly version: string;
  load(archive: string, ...flags: readonly string[]): Promise<RunResult>;
  find(reference: string): Promise<LoadedImage | undefined>;
  remove(references: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

type Command = (args: readonly string[]) => Promise<RunResult>;

/** Commands for other runtimes than Debian's, such as `docker -H unix:///run/other.sock`; archives come by stdin then. */
const commandVariables: Readonly<Record<RuntimeName, string>> = {
  docker: "IMGPACK_MATRIX_DOCKER",
  podman: "IMGPACK_MATRIX_PODMAN",
  containerd: "IMGPACK_MATRIX_CTR",
};

/** A runtime that may not be there. */
export interface Peer {
  readonly name: RuntimeName;
  /** Why it cannot be used; undefined: it can. */
  readonly missing: string | undefined;
  /** True for a command of the environment's. */
  readonly isSubstitute: boolean;
  readonly start: () => Promise<Runtime>;
}

export type Peers = readonly Peer[];

/** Finds out which runtimes this machine lets run. */
export async function preparePeers(): Promise<Peers> {
  const peer = async (name: RuntimeName, probe: () => Promise<Probe>, start: Peer["start"]): Promise<Peer> => {
    const isSubstitute = substitute(name) !== undefined;
    return { name, missing: isSubstitute ? undefined : (await probe()).missing, isSubstitute, start };
  };
  return await Promise.all([
    peer("docker", probeDockerd, startDocker),
    peer("podman", probePodman, startPodman),
    peer("containerd", probeContainerd, startCtr),
  ]);
}

/** The command that stands in for Debian's, as words; undefined: none does. */
function substitute(name: RuntimeName): readonly string[] | undefined {
  const command = process.env[commandVariables[name]];
  return command === undefined || command === "" ? undefined : command.split(" ");
}

interface Started {
  readonly command: Command;
  readonly load: (args: readonly string[], archive: string) => Promise<RunResult>;
  close(): Promise<void>;
}

async function start(name: RuntimeName, ownStart: () => Promise<Started>): Promise<Started> {
  const [program = "", ...words] = substitute(name) ?? [];
  if (program === "") return await ownStart();
  return {
    command: args => run(program, [...words, ...args]),
    load: async (args, archive) => {
      const parts: Buffer[] = [];
      for await (const part of createReadStream(archive)) parts.push(part);
      const stdin = name === "containerd" ? ["-"] : [];
      return await run(program, [...words, ...args, ...stdin], { input: Buffer.concat(parts) });
    },
    close: async () => undefined,
  };
}

async function startDocker(): Promise<Runtime> {
  const { command, load, close } = await start("docker", async () => {
    const daemon = await startDockerd();
    const command: Command = args => daemon.docker(args);
    return { command, load: (args, file) => command([...args, "--input", file]), close: () => daemon.close() };
  });
  const version = (await successful(command, ["version", "--format", "{{.Server.Version}}"])).trim();
  const driver = await successful(command, ["info", "--format", "{{.DriverStatus}}"]);
  // There the image ID is the digest of the manifest or index.
  const isContainerdStore = driver.includes("io.containerd.snapshotter");
  return {
    name: "docker",
    version: isContainerdStore ? `${version}, containerd store` : version,
    load: async archive => {
      const loaded = await load(["load"], archive);
      // The containerd store says so and ends with 0.
      return /error unpacking/i.test(loaded.stdout + loaded.stderr) ? { ...loaded, code: 1 } : loaded;
    },
    find: async reference => {
      const { code, stdout } = await command(["image", "inspect", "--format", "{{json .}}", reference]);
      if (code !== 0) return undefined;
      const { Id, RootFS } = JSON.parse(stdout);
      return { diffIds: RootFS.Layers ?? [], ...(isContainerdStore ? { digest: Id } : { imageId: Id }) };
    },
    remove: async references => void (await command(["rmi", "--force", ...references])),
    close,
  };
}

async function startPodman(): Promise<Runtime> {
  const { command, load, close } = await start("podman", async () => {
    const peer = await createPodman();
    const command: Command = args => peer.podman(args);
    return { command, load: (args, file) => command([...args, "--input", file]), close: () => peer.close() };
  });
  return {
    name: "podman",
    version: (await successful(command, ["--version"])).trim().split(" ").at(-1) ?? "",
    load: async archive => await load(["load"], archive),
    find: async reference => {
      const { code, stdout } = await command(["image", "inspect", reference]);
      if (code !== 0) return undefined;
      const [{ Id, RootFS }] = JSON.parse(stdout);
      return { imageId: `sha256:${Id}`, diffIds: RootFS.Layers ?? [] };
    },
    remove: async references => void (await command(["rmi", "--force", ...references])),
    close,
  };
}

async function startCtr(): Promise<Runtime> {
  const { command, load, close } = await start("containerd", async () => {
    const daemon = await startContainerd();
    const command: Command = args => daemon.ctr(args);
    return { command, load: (args, file) => command([...args, file]), close: () => daemon.close() };
  });
  const version = await successful(command, ["version"]);
  return {
    name: "containerd",
    version: /Server:\s+Version:\s+(\S+)/.exec(version)?.[1] ?? "",
    load: async (archive, ...flags) => await load(["images", "import", "--snapshotter=native", ...flags], archive),
    find: async reference => {
      const { stdout } = await command(["images", "list", `name==${reference}`]);
      const digest = /\s(sha256:[0-9a-f]{64})\s/.exec(stdout)?.[1];
      return digest === undefined ? undefined : { digest };
    },
    remove: async references => void (await command(["images", "remove", "--sync", ...references])),
    close,
  };
}

async function successful(command: Command, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(args);
  if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return stdout;
}
