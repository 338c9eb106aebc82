import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StorageError } from "../../errors.ts";
import { makeFolders } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { ProcessLock } from "../../util/lock/process-lock.ts";
import { lstat, realpath } from "../../util/read-disk.ts";
import { replaceFile } from "../../util/replace-file.ts";
import { SystemFault, storageState } from "../../util/system-fault.ts";
import { parseDockerConfig, readConfigFile } from "./docker-config.ts";

const POLL_MS = 20;
const MAX_WAIT_MS = 30_000;

/** Entries of `auths`, in the order of the file. */
export type Auths = Map<string, unknown>;

/**
 * Changes `auths` of a docker configuration; everything else keeps its content and order. The new file, readable only
 * by its owner, replaces the old one atomically, or the file that a symbolic link points to.
 *
 * @param change false: leave the file as it is. It is called twice: the second time under a lock.
 * @throws AuthError for a file that is no configuration; StorageError when it cannot be written.
 */
export async function editAuths(file: string, change: (auths: Auths) => boolean, signal?: AbortSignal): Promise<void> {
  const target = await targetOf(file);
  // Nothing to change needs no lock, which may not be possible: in a folder that is missing or read-only.
  if (!change((await readConfig(file, target)).auths)) return;
  const lock = await lockOf(target, signal);
  try {
    const { config, auths } = await readConfig(file, target);
    if (!change(auths)) return;
    config.set("auths", Object.fromEntries(auths));
    await write(target, `${JSON.stringify(Object.fromEntries(config), undefined, "\t")}\n`);
  } finally {
    await lock.remove().catch(() => undefined);
  }
}

/** Several logins at once read the file and replace it: each would drop the entries of the others. */
async function lockOf(target: string, signal: AbortSignal | undefined): Promise<ProcessLock> {
  try {
    await makeFolders(dirname(target), 0o700);
    return await claimSoon(`${target}.imgpack-lock`, target, signal);
  } catch (cause) {
    const isExplained = cause instanceof StorageError && !(cause instanceof SystemFault);
    if (isExplained || signal?.aborted === true) throw cause;
    throw unwritable(target, storageState(cause), cause);
  }
}

/** An edit takes milliseconds, so another one is waited for. */
async function claimSoon(path: string, target: string, signal: AbortSignal | undefined): Promise<ProcessLock> {
  const startedAt = performance.now();
  while (true) {
    let isTaken = false;
    const refusal = (): StorageError => {
      isTaken = true;
      return unwritable(target, "another run is writing it");
    };
    try {
      return await ProcessLock.claim(path, target, { refusal, signal });
    } catch (error) {
      if (!isTaken || performance.now() - startedAt >= MAX_WAIT_MS) throw error;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** @throws AuthError for a file that is no configuration */
async function readConfig(file: string, target: string): Promise<{ config: Map<string, unknown>; auths: Auths }> {
  const bytes = await readConfigFile(target);
  // Strict parsing first: text that two parsers read differently must not be written back.
  if (bytes !== undefined) parseDockerConfig(bytes, file);
  const config = new Map(bytes === undefined ? [] : entriesOf(JSON.parse(Buffer.from(bytes).toString("utf8"))));
  return { config, auths: new Map(entriesOf(config.get("auths"))) };
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (cause) {
    const isLink = (await lstat(file).catch(() => undefined))?.isSymbolicLink() === true;
    if (isLink) throw unwritable(file, "a symbolic link to nothing", cause);
    return file;
  }
}

async function write(target: string, text: string): Promise<void> {
  try {
    await replaceFile(target, text, 0o600);
  } catch (cause) {
    throw unwritable(target, storageState(cause), cause);
  }
}

function unwritable(file: string, found: string, cause?: unknown): StorageError {
  return new StorageError(`Cannot write credentials to ${quote(file)}: ${found}, expected a writable file`, {
    cause,
    hint: "DOCKER_CONFIG names another folder for it.",
  });
}
