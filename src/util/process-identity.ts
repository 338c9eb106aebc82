import { readFile } from "node:fs/promises";
import { errorCode } from "./error-code.ts";

/** Identifies a process, also after another process got its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot id and start time; null if the system does not report them. */
  readonly started: string | null;
}

/** The identity of this process, to be written next to what it owns. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return { pid: process.pid, started: await startTime(process.pid) };
}

/** Reads the JSON value of an identity; undefined for anything else. */
export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value)) return undefined;
  const { pid, started } = value;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return started === null || typeof started === "string" ? { pid, started } : undefined;
}

/** Whether this process still runs. If the system reports no start times, any process with its pid counts. */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== "EPERM") return false;
  }
  return (await startTime(pid)) === started;
}

async function startTime(pid: number): Promise<string | null> {
  try {
    const [boot, stat] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    // The second field, the program's name, may contain spaces and parentheses; the start time is the 20th field after it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie, killed but not yet collected by its parent (often in containers), does nothing anymore.
    return state === "Z" ? "ended" : `${boot.trim()} ${fields[18] ?? ""}`;
  } catch {
    return null;
  }
}
