/** A change outside the process: of a file, a folder, a registry. */
export interface Operation {
  readonly kind: OperationKind;
  /** File or folder; method and path of a request. */
  readonly target: string;
  /** New name, of a rename. */
  readonly to?: string;
  /** First byte written; undefined at the end of the file. */
  readonly position?: number | undefined;
  /** Bytes written. */
  readonly bytes?: Uint8Array;
  /** New length in bytes, of a truncation. */
  readonly size?: number;
}

export type OperationKind =
  | "create"
  | "write"
  | "truncate"
  | "datasync"
  | "sync"
  | "sync-folder"
  | "rename"
  | "remove"
  | "make-folder"
  | "request";

/**
 * Is called instead of each operation. It may run the operation, run it with fewer bytes, fail, or end the process.
 *
 * @param run takes the bytes to write (default: those of the operation).
 */
export type Watcher = <T>(operation: Operation, run: (bytes?: Uint8Array) => Promise<T>) => Promise<T>;

let watcher: Watcher | undefined;

/** For tests only: no shipped code calls it. */
export function watchOperations(next: Watcher | undefined): void {
  watcher = next;
}

/** Runs every write, sync, rename and request, so that tests can stop or fail each of them. */
export async function hooked<T>(operation: Operation, run: (bytes?: Uint8Array) => Promise<T>): Promise<T> {
  return watcher === undefined ? await run() : await watcher(operation, run);
}
