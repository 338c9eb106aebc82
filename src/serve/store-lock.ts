import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../errors.ts";
import { createFile, discardFile, errorCode } from "../util/disk.ts";
import { quote } from "../util/format.ts";
import { isRunning, ownIdentity, parseIdentity } from "../util/process-identity.ts";

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
    const identity = JSON.stringify(await ownIdentity());
    for (let attempt = 0; !(await createLock(path, identity)); attempt += 1) {
      const owner = await liveOwner(path);
      if (owner !== undefined || attempt > 2) throw busy(folder, owner);
      await discardFile(path);
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    try {
      await discardFile(path);
    } finally {
      held.delete(path);
    }
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
    await using file = await createFile(path, 0o600);
    await file.write(Buffer.from(identity));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** @returns the pid in the lock when that very process still runs */
async function liveOwner(path: string): Promise<number | undefined> {
  let owner: ReturnType<typeof parseIdentity>;
  try {
    owner = parseIdentity(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Gone meanwhile, or torn by a power cut: nobody's.
    return undefined;
  }
  // Our own pid comes from an earlier life of this container: `held` knows the locks of this one.
  if (owner === undefined || owner.pid === process.pid) return undefined;
  return (await isRunning(owner)) ? owner.pid : undefined;
}
