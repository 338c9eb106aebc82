import { createReadStream } from "node:fs";
import { startContainerd } from "../peers/containerd.ts";
import { type Probe, probeContainerd, probeDockerd, probePodman } from "../peers/describe-with.ts";
import { startDockerd } from "../peers/dockerd.ts";
import type { ImageApi } from "../peers/image-api.ts";
import { startPodmanService } from "../peers/podman.ts";
import { RecordedLoader } from "../peers/recorded-loader.ts";
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

/** What a runtime does with an archive. */
export interface Outcome {
  /** Undefined when it has loaded the archive. */
  readonly complaint?: string;
  /** By reference, those that are there. */
  readonly found: Readonly<Record<string, LoadedImage>>;
}

export interface Runtime {
  readonly name: RuntimeName;
  readonly version: string;
  /** Loads an archive, looks up references, and removes them. */
  tryOut(archive: string, flags: readonly string[], references: readonly string[]): Promise<Outcome>;
  close(): Promise<void>;
}

/** A runtime that runs. */
interface Live {
  /** @returns what the runtime complains of; undefined when it has loaded the archive. */
  load(archive: string, ...flags: readonly string[]): Promise<string | undefined>;
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

/** The program and the words before those of each command. */
function substituted(name: RuntimeName, [program = "", ...words]: readonly string[]): Started {
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

/** @returns undefined where no command of the environment's takes the place of Debian's. */
function startSubstitute(name: RuntimeName): Started | undefined {
  const words = substitute(name);
  return words === undefined ? undefined : substituted(name, words);
}

/** One daemon and no process for each archive. */
function byApi({ images, close }: { readonly images: ImageApi; readonly close: () => Promise<void> }): Live {
  return {
    close,
    load: async archive => await images.load(archive),
    find: async reference => {
      const found = await images.find(reference);
      return found === undefined ? undefined : { imageId: found.id, diffIds: found.diffIds };
    },
    remove: async references => await images.remove(references),
  };
}

async function startDocker(): Promise<Runtime> {
  const given = startSubstitute("docker");
  if (given !== undefined) return await dockerCommand(given);
  return await recorded("docker", async () => byApi(await startDockerd()));
}

async function dockerCommand({ command, load, close }: Started): Promise<Runtime> {
  const version = (await successful(command, ["version", "--format", "{{.Server.Version}}"])).trim();
  const driver = await successful(command, ["info", "--format", "{{.DriverStatus}}"]);
  // There the image ID is the digest of the manifest or index.
  const isContainerdStore = driver.includes("io.containerd.snapshotter");
  return unrecorded("docker", isContainerdStore ? `${version}, containerd store` : version, {
    load: async archive => {
      const loaded = await load(["load"], archive);
      // The containerd store says so and ends with 0.
      return (
        complaintOf(loaded) ?? (/error unpacking/i.test(loaded.stdout + loaded.stderr) ? loaded.stderr : undefined)
      );
    },
    find: async reference => {
      const { code, stdout } = await command(["image", "inspect", "--format", "{{json .}}", reference]);
      if (code !== 0) return undefined;
      const { Id, RootFS } = JSON.parse(stdout);
      return { diffIds: RootFS.Layers ?? [], ...(isContainerdStore ? { digest: Id } : { imageId: Id }) };
    },
    remove: async references => void (await command(["rmi", "--force", ...references])),
    close,
  });
}

async function startPodman(): Promise<Runtime> {
  const given = startSubstitute("podman");
  if (given !== undefined) return await podmanCommand(given);
  return await recorded("podman", async () => byApi(await startPodmanService()));
}

async function podmanCommand({ command, load, close }: Started): Promise<Runtime> {
  const version = (await successful(command, ["--version"])).trim().split(" ").at(-1) ?? "";
  return unrecorded("podman", version, {
    load: async archive => complaintOf(await load(["load"], archive)),
    find: async reference => {
      const { code, stdout } = await command(["image", "inspect", reference]);
      if (code !== 0) return undefined;
      const [{ Id, RootFS }] = JSON.parse(stdout);
      return { imageId: `sha256:${Id}`, diffIds: RootFS.Layers ?? [] };
    },
    remove: async references => void (await command(["rmi", "--force", ...references])),
    close,
  });
}

async function startCtr(): Promise<Runtime> {
  const given = startSubstitute("containerd");
  if (given === undefined) return await recorded("containerd", async () => ctrCommand(await startOwnCtr()));
  const version = await successful(given.command, ["version"]);
  return unrecorded("containerd", /Server:\s+Version:\s+(\S+)/.exec(version)?.[1] ?? "", ctrCommand(given));
}

function ctrCommand({ command, load, close }: Started): Live {
  return {
    load: async (archive, ...flags) =>
      complaintOf(await load(["images", "import", "--snapshotter=native", ...flags], archive)),
    find: async reference => {
      const { stdout } = await command(["images", "list", `name==${reference}`]);
      const digest = /\s(sha256:[0-9a-f]{64})\s/.exec(stdout)?.[1];
      return digest === undefined ? undefined : { digest };
    },
    remove: async references => void (await command(["images", "remove", "--sync", ...references])),
    close,
  };
}

async function startOwnCtr(): Promise<Started> {
  const daemon = await startContainerd();
  const command: Command = args => daemon.ctr(args);
  return { command, load: (args, file) => command([...args, file]), close: () => daemon.close() };
}

async function recorded(name: RuntimeName, start: () => Promise<Live>): Promise<Runtime> {
  const loader = await RecordedLoader.create(name, start);
  return {
    name,
    version: loader.version,
    tryOut: async (archive, flags, references) =>
      await loader.answer(archive, ["load", ...flags, "find", ...references], live =>
        tryOut(live, archive, flags, references),
      ),
    close: () => loader.close(),
  };
}

function unrecorded(name: RuntimeName, version: string, live: Live): Runtime {
  return { name, version, tryOut: (...all) => tryOut(live, ...all), close: () => live.close() };
}

async function tryOut(
  live: Live,
  archive: string,
  flags: readonly string[],
  references: readonly string[],
): Promise<Outcome> {
  try {
    const complaint = await live.load(archive, ...flags);
    const found: Record<string, LoadedImage> = {};
    for (const reference of references) {
      const image = await live.find(reference);
      if (image !== undefined) found[reference] = image;
    }
    return { ...(complaint === undefined ? {} : { complaint }), found };
  } finally {
    await live.remove(references);
  }
}

function complaintOf({ code, stdout, stderr }: RunResult): string | undefined {
  return code === 0 ? undefined : `exit code ${code}: ${stdout}${stderr}`;
}

async function successful(command: Command, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(args);
  if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return stdout;
}
