import { hash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { cacheFolder } from "../util/cache/cache-folder.ts";
import { VERSION } from "../util/version.ts";

// Compiled code runs as this user without further checks: V8 compares no more than the length of the source, the version
// and the flags, and a damaged cache ends the process. So whatever is read here must have been written by this user, for
// this very program, and be whole (docs/SECURITY.md). This file only looks, and has no messages: without a cache, a run
// takes longer.

/** Folder of the code caches, below the cache folder. */
export const CODE_FOLDER = "code";
const DIGEST_BYTES = 32;
const MAX_BYTES = 16 * 1024 * 1024;
/** A cache lacks what its run did not call. It is replaced after this time, so that none stays a poor one. */
const STALE_MS = 7 * 86_400_000;
const OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Where the compiled code of one command is. */
export interface CacheEntry {
  /** `IMGPACK_CACHE_DIR`, or the user's cache folder. */
  readonly base: string;
  /** Of the file in `base`/code: everything that the code depends on. */
  readonly name: string;
}

/** @returns undefined if the code of this command line is not cached, or may not be on this machine. */
export function codeCacheEntry(
  words: readonly string[],
  program: { readonly hash: string; readonly mtimeMs: number },
): CacheEntry | undefined {
  const { IMGPACK_CODE_CACHE: choice, IMGPACK_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  const end = words.indexOf("--");
  const flags = end === -1 ? words : words.slice(0, end);
  // Help loads other code than the command itself, and the same as `imgpack help`.
  const isHelp = flags.some(word => word === "--help" || word === "-h");
  // Completion asks with __complete.
  const command = isHelp ? "help" : (words[0] ?? "").replace("__", "");
  if (choice === "off" || !/^[a-z]{1,16}$/.test(command)) return undefined;
  // Windows reports neither owner nor mode. By default, others cannot write below the user's profile.
  if (process.getuid === undefined && (IMGPACK_CACHE_DIR || XDG_CACHE_HOME)) return undefined;
  if (process.getuid?.() !== process.geteuid?.()) return undefined;
  const base = cacheFolder();
  // In a working folder, others may decide what is there.
  if (!isAbsolute(base)) return undefined;
  const tag = cachedDataVersionTag().toString(16);
  const made = `${program.hash.slice(0, 16)}.${Math.round(program.mtimeMs).toString(36)}`;
  const system = `${process.version}-${process.platform}-${process.arch}-${tag}`;
  return { base, name: `${command}-${VERSION}-${made}-${system}${CODE_ENDING}` };
}

export const CODE_ENDING = ".v8";

/** @returns undefined unless only this user can have written the file, and it is whole. */
export function readCodeCache({
  base,
  name,
}: CacheEntry): { readonly code: Buffer; readonly isStale: boolean } | undefined {
  try {
    const file = openSync(
      join(trustedCodeFolder(base), name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stats = fstatSync(file);
      if (!stats.isFile() || stats.nlink !== 1 || !isOfUser(stats) || stats.size > MAX_BYTES) return undefined;
      const bytes = readFileSync(file);
      const code = bytes.subarray(DIGEST_BYTES);
      if (!digestOf(code).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
      return { code, isStale: Math.abs(Date.now() - stats.mtimeMs) > STALE_MS };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** The SHA-256 that is before the code in a file. */
export function digestOf(code: Uint8Array): Buffer {
  return hash("sha256", code, "buffer");
}

/**
 * The real path of the folder. No one but this user and root can replace it, or any folder above it, so nothing can change
 * between the check and the use.
 *
 * @throws Error if that is not so, or there is no such folder.
 */
export function trustedCodeFolder(base: string): string {
  const folder = join(realpathSync(base), CODE_FOLDER);
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || !isOfUser(stats)) throw new Error("not a folder of this user alone");
  checkFoldersAbove(folder);
  return folder;
}

/** @throws Error if another user can replace a folder above this path. @param path a real one */
export function checkFoldersAbove(path: string): void {
  for (let at = path; dirname(at) !== at; ) {
    at = dirname(at);
    const { uid, mode } = lstatSync(at);
    // Where the sticky bit is set, as in /tmp, only the owner of an entry can replace it.
    const isOpen = (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0;
    if (process.getuid !== undefined && (isOpen || (uid !== 0 && uid !== process.getuid()))) {
      throw new Error(`others can change what is in ${basename(at)}`);
    }
  }
}

/** As in util/private-file.ts, which would load what every start then waits for. */
function isOfUser({ uid, mode }: Stats): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & OTHERS) === 0);
}
