import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { errorCode } from "../error-code.ts";
import { readFile, readlink } from "../read-disk.ts";

/** Identifies a process, also after another process got its pid, and where its pid means something. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot id, 32 hex digits, and start in clock ticks, 0 if unknown; null where the system reports neither. */
  readonly started: { readonly boot: string; readonly ticks: number } | null;
  /** The namespace of the pid, 16 hex digits: containers have their own, and number their processes from 1. */
  readonly namespace: string;
}

/** The identity of this process, to be written next to what it owns. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const boot = await bootId();
  const namespace = boot === undefined ? undefined : await pidNamespace();
  return {
    pid: process.pid,
    started: boot === undefined ? null : { boot, ticks: ticksOf(await processState(process.pid)) },
    namespace: namespace ?? hostNumber(),
  };
}

/** Whether both pids are of one system and one namespace, so that `isRunning` can judge one in place of the other. */
export function isSameSystem(left: ProcessIdentity, right: ProcessIdentity): boolean {
  return left.started?.boot === right.started?.boot && left.namespace === right.namespace;
}

/**
 * Whether a process of this system still runs. Where the start time is unknown, any process with its pid counts.
 *
 * @param identity of the same system as this process: see `isSameSystem`.
 */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== "EPERM") return false;
  }
  const state = await processState(pid);
  const ticks = ticksOf(state);
  return state !== "ended" && (started === null || started.ticks === 0 || ticks === 0 || ticks === started.ticks);
}

async function bootId(): Promise<string | undefined> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const hex = text.trim().replaceAll("-", "");
  return /^[0-9a-f]{32}$/.test(hex) ? hex : undefined;
}

async function pidNamespace(): Promise<string | undefined> {
  const [, inode] = /^pid:\[(\d+)\]$/.exec(await readlink("/proc/self/ns/pid").catch(() => "")) ?? [];
  return inode === undefined ? undefined : BigInt(inode).toString(16).padStart(16, "0");
}

/** Where the system has no namespaces: a number for this machine, so that another one on the same disk differs. */
function hostNumber(): string {
  return createHash("sha256").update(`${process.platform}\n${hostname()}`).digest("hex").slice(0, 16);
}

/** When the process started, in clock ticks; undefined if the system does not report it. */
async function processState(pid: number): Promise<number | "ended" | undefined> {
  try {
    // A /proc of another namespace has other processes under these numbers.
    if ((await readlink("/proc/self")) !== String(process.pid)) return undefined;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may contain spaces and parentheses; the start time is the 20th field after it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie, killed but not yet collected by its parent (often in containers), does nothing anymore.
    return state === "Z" ? "ended" : Number(fields[18]);
  } catch {
    return undefined;
  }
}

function ticksOf(state: number | "ended" | undefined): number {
  return typeof state === "number" ? state : 0;
}
