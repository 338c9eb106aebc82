import { readFile } from "node:fs/promises";
import { errorCode } from "./error-code.ts";

/** Tells a process from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot and start time; null where the system does not say. */
  readonly started: string | null;
}

/** Of this process: to be written beside what it owns. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return { pid: process.pid, started: await startTime(process.pid) };
}

/** Whether a file belongs to the user of this process; where the system knows no users, every file does. */
export function isOwn({ uid }: { readonly uid: number }): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

/** What `ownIdentity` said, read back; undefined for anything else. */
export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value)) return undefined;
  const { pid, started } = value;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return started === null || typeof started === "string" ? { pid, started } : undefined;
}

/** Whether that very process still runs. Where the system tells no start times, any process with its pid counts. */
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
    // The second field, the program's name, may hold blanks and brackets; the start time is the 20th field after it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie, killed but not yet collected by its parent (often in containers), does nothing any more.
    return state === "Z" ? "ended" : `${boot.trim()} ${fields[18] ?? ""}`;
  } catch {
    return null;
  }
}
