import { StorageError } from "../errors.ts";
import { quote } from "./format.ts";

/** What is done to a path, for messages, and what it needs. */
const DEEDS = {
  read: { verb: "read", expected: "a readable file or folder" },
  create: { verb: "create", expected: "a writable folder" },
  write: { verb: "write", expected: "a writable file" },
  rename: { verb: "rename", expected: "a writable folder" },
  remove: { verb: "remove", expected: "a writable folder" },
  makeFolder: { verb: "create folder", expected: "a writable folder above it" },
} as const;

export type Deed = keyof typeof DEEDS;

/** A call of the file system that failed. Callers that know more about the path replace it by an error that says more. */
export class SystemFault extends StorageError {
  /** Such as ENOSPC. */
  readonly errno: string;
  /** Such as "open". */
  readonly syscall: string;

  constructor(deed: Deed, path: string, cause: Error) {
    const { verb, expected } = DEEDS[deed];
    const errno = codeOf(cause);
    const state = storageState(cause, "no such file or folder");
    super(`Cannot ${verb} ${quote(path)}: ${state}, expected ${expected}`, { cause, hint: HINTS.get(errno) });
    this.errno = errno;
    this.syscall = "syscall" in cause ? String(cause.syscall) : "";
  }
}

/** Runs a call of the file system. @throws SystemFault for an error of the system; other errors as they are. */
export async function withSystemFaults<T>(deed: Deed, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    // Whatever the system says of a file is a fault of the system, also a code that has no words here.
    if (cause instanceof Error && !(cause instanceof StorageError) && "syscall" in cause) {
      throw new SystemFault(deed, path, cause);
    }
    throw systemFault(deed, path, cause) ?? cause;
  }
}

/** @returns undefined for anything but an error of the file system. */
export function systemFault(deed: Deed, path: string, cause: unknown): SystemFault | undefined {
  if (cause instanceof StorageError || !(cause instanceof Error) || !STATES.has(codeOf(cause))) return undefined;
  return new SystemFault(deed, path, cause);
}

/** What an error of the system means, for messages. @param absent what a path that does not exist is called. */
export function storageState(cause: unknown, absent = "no such folder"): string {
  if (cause instanceof StorageError && !(cause instanceof SystemFault)) return cause.message;
  const code = cause instanceof SystemFault ? cause.errno : codeOf(cause);
  return code === "ENOENT" ? absent : (STATES.get(code) ?? (code ? `error ${code} of the system` : String(cause)));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The disk has no room. */
export const FULL_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** The disk or the connection to it fails. */
export const BROKEN_CODES: ReadonlySet<string> = new Set(["EIO", "ENXIO", "ENODEV", "ESTALE", "ENOTCONN"]);

const STATES: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "no space left"],
  ["EDQUOT", "quota used up"],
  ["EFBIG", "file too large for this file system or for the limit of this process"],
  ["EIO", "input or output error"],
  ["ENXIO", "the device is gone"],
  ["ENODEV", "the device is gone"],
  ["ESTALE", "the network file system lost the file"],
  ["ENOTCONN", "the file system is not connected"],
  ["ENOENT", "no such file or folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "read-only file system"],
  ["EEXIST", "something has this name already"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a file where a folder should be"],
  ["ENOTEMPTY", "the folder is not empty"],
  ["ELOOP", "a symbolic link, or a loop of links"],
  ["ENAMETOOLONG", "the name is too long"],
  ["EMFILE", "this process has too many open files"],
  ["ENFILE", "this machine has too many open files"],
  ["ENOMEM", "no memory left"],
  ["EBUSY", "in use by the system or another program"],
  ["ETXTBSY", "a program that is running"],
  ["EXDEV", "another disk"],
  ["EMLINK", "too many links"],
  ["EINVAL", "refused by its file system"],
  ["ENOTSUP", "not supported by its file system"],
  ["EOPNOTSUPP", "not supported by its file system"],
  ["ENOSYS", "not supported by its file system"],
  ["ESRCH", "the process has ended"],
  ["EILSEQ", "a name that its file system refuses"],
  // Of Node.js: a NUL character ends a path, for the system.
  ["ERR_INVALID_ARG_VALUE", "the name contains a NUL character"],
  ["ERR_FS_FILE_TOO_LARGE", "a file over 2 GiB"],
]);

const HINTS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "Free some space, then run the same command again."],
  ["EDQUOT", "Free some space, then run the same command again."],
  ["EIO", "Check the disk or the medium, then run the same command again."],
  ["EACCES", "Run the command as a user with access to it, or name another path."],
  ["EPERM", "Run the command as a user with access to it, or name another path."],
  ["ENOENT", "Check the path; it is taken from the current folder unless it begins with a slash."],
  ["EMFILE", 'Raise the limit of open files ("ulimit -n 1024"), or lower --concurrency.'],
  ["ENFILE", "Wait until other programs end, or lower --concurrency."],
]);
