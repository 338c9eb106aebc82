import { errorCode } from "./error-code.ts";

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["ENOTDIR", "a file where a folder is expected"],
  ["EISDIR", "a folder"],
  ["EEXIST", "something of that name"],
  ["ENOTEMPTY", "a folder that is not empty"],
  ["ELOOP", "a loop of links"],
  ["ENAMETOOLONG", "a name that is too long"],
  ["ENOSPC", "no space left"],
  ["EDQUOT", "the quota of the disk used up"],
  ["EROFS", "a read-only file system"],
  ["EIO", "an error of the disk"],
  ["EMFILE", "too many open files"],
  ["ENFILE", "too many open files"],
  ["EBUSY", "a file in use"],
  ["ENXIO", "a device that is not there"],
  ["ESRCH", "a process that has ended"],
  ["ERR_INVALID_ARG_VALUE", "a name that no file can have"],
]);

/** What the system found, in plain words, for messages of the form "Cannot …: <found>, expected …". */
export function systemFault(error: unknown): string {
  const code = errorCode(error);
  return WORDS.get(code) ?? (code || "an unknown fault");
}

/** Whether the system refused an operation on a file. */
export function isSystemFault(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && WORDS.has(errorCode(error));
}
