import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chown, lstat, mkdir, open, realpath, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../errors.ts";
import { syncFolder } from "../util/disk.ts";
import { quote } from "../util/format.ts";
import { parseDockerConfig, readConfigFile } from "./docker-config.ts";

/** Entries of `auths`, in the order of the file. */
export type Auths = Map<string, unknown>;

/**
 * Changes `auths` of a docker configuration; all else keeps its content and order. The new file, readable by its owner
 * alone, replaces the old one at once; behind a symbolic link, the file that it leads to.
 *
 * @param change false: leave the file as it is.
 * @throws AuthError for a file that is no configuration; StorageError when it cannot be written.
 */
export async function editAuths(file: string, change: (auths: Auths) => boolean): Promise<void> {
  const target = await targetOf(file);
  const bytes = await readConfigFile(target);
  // The strict reader first: what two readers take differently must not be written back.
  if (bytes !== undefined) parseDockerConfig(bytes, file);
  const config = new Map(bytes === undefined ? [] : entriesOf(JSON.parse(Buffer.from(bytes).toString("utf8"))));
  const auths: Auths = new Map(entriesOf(config.get("auths")));
  if (!change(auths)) return;
  config.set("auths", Object.fromEntries(auths));
  await replaceFile(target, `${JSON.stringify(Object.fromEntries(config), undefined, "\t")}\n`);
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

async function replaceFile(target: string, text: string): Promise<void> {
  const partial = `${target}.${randomBytes(6).toString("hex")}.partial`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  let isMade = false;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const before = await stat(target).catch(() => undefined);
    const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    isMade = true;
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Under sudo it stays its owner's file.
    const isForeign = before !== undefined && process.getuid !== undefined && before.uid !== process.getuid();
    if (isForeign) await chown(partial, before.uid, before.gid).catch(() => undefined);
    await rename(partial, target);
    isMade = false;
    await syncFolder(dirname(target));
  } catch (cause) {
    throw unwritable(target, stateOf(cause), cause);
  } finally {
    if (isMade) await unlink(partial).catch(() => undefined);
  }
}

function unwritable(file: string, found: string, cause: unknown): StorageError {
  return new StorageError(`Cannot write credentials to ${quote(file)}: ${found}, expected a writable file`, {
    cause,
    hint: "DOCKER_CONFIG names another folder for it.",
  });
}

function stateOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ENOSPC") return "no space left";
  if (code === "EROFS") return "read-only file system";
  return code === "ENOTDIR" || code === "EEXIST" ? "a file where its folder should be" : code || "unwritable";
}
