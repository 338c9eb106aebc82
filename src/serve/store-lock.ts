import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";

/** Folders that this process serves: its own pid cannot tell them apart. */
const held = new Set<string>();

/**
 * Makes this process the only server of a store: a second one would serve stale names and remove the uploads of the
 * first. The lock of a dead owner is taken over.
 *
 * @returns the release
 * @throws StorageError while another server owns the store
 */
export async function lockStore(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  if (held.has(path)) throw busy(folder, process.pid);
  held.add(path);
  try {
    const identity = JSON.stringify({ pid: process.pid, started: await startTime(process.pid) });
    for (let attempt = 0; !(await createLock(path, identity)); attempt += 1) {
      const owner = await liveOwner(path);
      if (owner !== undefined || attempt > 2) throw busy(folder, owner);
      await rm(path, { force: true });
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    await rm(path, { force: true });
    held.delete(path);
  };
}

function busy(folder: string, owner: number | undefined): StorageError {
  return new StorageError(
    `Cannot serve registry from ${quote(folder)}: store in use by process ${owner ?? "unknown"}, expected a free store`,
    { hint: 'Stop the other server; if there is none, remove the file "lock" in the store.' },
  );
}

async function createLock(path: string, identity: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      await handle.writeFile(identity);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** @returns the pid in the lock when that very process still runs */
async function liveOwner(path: string): Promise<number | undefined> {
  let owner: unknown;
  try {
    owner = JSON.parse(await readFile(path, "utf8"));
  } catch {
    // Gone meanwhile, or torn by a power cut: nobody's.
    return undefined;
  }
  if (typeof owner !== "object" || owner === null || !("pid" in owner) || !("started" in owner)) return undefined;
  const { pid, started } = owner;
  // Our own pid comes from an earlier life of this container: `held` knows the locks of this one.
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
  }
  return (await startTime(pid)) === started ? pid : undefined;
}

/** Boot and start time tell a process from a later one with the same pid; null where the system does not say. */
async function startTime(pid: number): Promise<string | null> {
  try {
    const [boot, stat] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    // The second field, the program's name, may hold blanks and brackets; the start time is the 20th field after it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie, killed but not yet collected by its parent (often in containers), serves nothing any more.
    return state === "Z" ? "ended" : `${boot.trim()} ${fields[18] ?? ""}`;
  } catch {
    return null;
  }
}
