import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Probe } from "../integration/peers/describe-with.ts";
import { findTool, type RunResult, run } from "../integration/peers/run.ts";
import { createTempFolder } from "../integration/peers/temp-folder.ts";

/** A root folder with what is named alone, and a network that is the loopback device alone. */
export interface EmptyRoom {
  /** Outside of it. What is bound into the room is not there. */
  readonly root: string;
  /** Outside, where a file of the user's folder is. */
  path(name: string): string;
  /** Runs a line of the shell in the user's folder. */
  run(line: string): Promise<RunResult>;
  /** Starts a line that does not end by itself. @returns its first line on stdout */
  start(line: string): Promise<string>;
  /** Ends everything in the room, and removes it. */
  close(): Promise<void>;
}

/** Where the newcomer is. */
const HOME = "/home/user";
const SPACES = ["--net", "--mount", "--pid"];
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME, LANG: "C.UTF-8" };
const NEEDED = ["sh", "env", "mkdir"];
/** Files that every system has. */
const OF_THE_SYSTEM = ["/dev/null", "/dev/urandom", "/etc/hosts"];

/**
 * Binds files of this machine into the room, read-only, and stays until stdin ends. It is the first process there: with it
 * ends everything else.
 */
const PRELUDE = `set -eu
root=$1; shift
ip link set lo up
for file; do
  mkdir -p "$root$(dirname "$file")"
  if [ -d "$file" ]; then mkdir -p "$root$file"; else : >"$root$file"; fi
  mount --bind "$file" "$root$file"
done
mount -t proc proc "$root/proc"
echo ready
exec cat`;

/** Whether this machine lets a process have a root folder, a network and mounts of its own. */
export async function probeEmptyRoom(): Promise<Probe> {
  const name = "root folder of its own";
  const absent = ["unshare", "nsenter", "chroot", "ip", "mount", "ldd"].find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return { name, missing: `${absent} is not installed` };
  const { code, stderr } = await run("unshare", [...SPACES, "--fork", "mount", "-t", "proc", "proc", "/proc"]);
  return { name, missing: code === 0 ? undefined : stderr.trim() };
}

/**
 * @param programs names of programs that are there with the libraries that they need, in addition to a shell.
 * @param files other files and folders of this machine, where they are here.
 */
export async function openEmptyRoom(programs: readonly string[], files: readonly string[] = []): Promise<EmptyRoom> {
  const folder = await createTempFolder();
  const root = folder.path;
  for (const each of ["proc", "dev", "tmp", "bin", "usr/bin", "usr/local/bin", HOME])
    await mkdir(join(root, each), { recursive: true });
  const tools = [...NEEDED, ...programs].map(programPath);
  const bound = new Set([...OF_THE_SYSTEM, ...files]);
  for (const tool of tools) for (const library of await librariesOf(tool)) bound.add(library);
  const keeper = spawn(
    "unshare",
    [...SPACES, "--fork", "--kill-child", "sh", "-c", PRELUDE, "sh", root, ...bound, ...tools],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(keeper, "close");
  const ready = await Promise.race([once(createInterface({ input: keeper.stdout }), "line"), ended]);
  if (ready[0] !== "ready") throw new Error("Cannot open an empty room: its first process ended");
  // The child of `unshare` is the first process of the room.
  const first = (await run("ps", ["--ppid", String(keeper.pid), "-o", "pid="])).stdout.trim();
  const inside = (line: string): readonly [string, ...string[]] => {
    const variables = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    const shell = [programPath("sh"), "-c", `cd ${HOME} && ${line}`];
    return ["nsenter", "-t", first, ...SPACES, "chroot", root, programPath("env"), "-i", ...variables, ...shell];
  };
  return {
    root,
    path: name => join(root, HOME, name),
    run: async line => {
      const [command, ...words] = inside(line);
      return await run(command, words);
    },
    async start(line) {
      const [command, ...words] = inside(line);
      const started = spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
      const [text] = await once(createInterface({ input: started.stdout }), "line");
      return String(text);
    },
    async close() {
      keeper.stdin.end();
      await ended;
      await folder.remove();
    },
  };
}

/** A link such as /bin is not there. */
function programPath(name: string): string {
  const found = findTool(name);
  if (found === undefined) throw new Error(`Cannot find ${name}: not installed, expected it in PATH`);
  return join(realpathSync(dirname(found)), name);
}

/** The files that a program is started with. */
export async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [program]);
  return stdout.split("\n").flatMap(line => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
