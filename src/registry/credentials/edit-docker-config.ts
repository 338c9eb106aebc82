import { lstat, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../../errors.ts";
import { makeFolder } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { replaceFile } from "../../util/replace-file.ts";
import { parseDockerConfig, readConfigFile } from "./docker-config.ts";

/** Entries of `auths`, in the order of the file. */
export type Auths = Map<string, unknown>;

/**
 * Changes `auths` of a docker configuration; everything else keeps its content and order. The new file, readable only
 * by its owner, replaces the old one atomically, or the file that a symbolic link points to.
 *
 * @param change false: leave the file as it is.
 * @throws AuthError for a file that is no configuration; StorageError when it cannot be written.
 */
export async function editAuths(file: string, change: (auths: Auths) => boolean): Promise<void> {
  const target = await targetOf(file);
  const bytes = await readConfigFile(target);
  // Strict parsing first: text that two parsers read differently must not be written back.
  if (bytes !== undefined) parseDockerConfig(bytes, file);
  const config = new Map(bytes === undefined ? [] : entriesOf(JSON.parse(Buffer.from(bytes).toString("utf8"))));
  const auths: Auths = new Map(entriesOf(config.get("auths")));
  if (!change(auths)) return;
  config.set("auths", Object.fromEntries(auths));
  await write(target, `${JSON.stringify(Object.fromEntries(config), undefined, "\t")}\n`);
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
    await makeFolder(dirname(target), { recursive: true, mode: 0o700 });
    await replaceFile(target, text, 0o600);
  } catch (cause) {
    throw unwritable(target, stateOf(cause), cause);
  }
}

function unwritable(file: string, found: string, cause: unknown): StorageError {
  return new StorageError(`Cannot write credentials to ${quote(file)}: ${found}, expected a writable file`, {
    cause,
    hint: "DOCKER_CONFIG names another folder for it.",
  });
}

function stateOf(cause: unknown): string {
  const code = errorCode(cause);
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ENOSPC") return "no space left";
  if (code === "EROFS") return "read-only file system";
  return code === "ENOTDIR" || code === "EEXIST" ? "a file where its folder should be" : code || "unwritable";
}
