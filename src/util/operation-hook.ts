/** What changes something outside the process: a file, a folder, a registry. */
export interface Operation {
  readonly kind: OperationKind;
  /** File or folder; method and path of a request. */
  readonly place: string;
  /** New name, of a rename. */
  readonly to?: string;
  /** First byte written; undefined at the end of the file. */
  readonly position?: number | undefined;
  /** What is written. */
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
 * Stands between the program and the world: it may run the operation, run it with fewer bytes, fail, or end the process.
 *
 * @param run takes the bytes to write; without them those of the operation.
 */
export type Watcher = <T>(operation: Operation, run: (bytes?: Uint8Array) => Promise<T>) => Promise<T>;

let watcher: Watcher | undefined;

/** For tests only: no shipped code calls it. */
export function watchOperations(next: Watcher | undefined): void {
  watcher = next;
}

/** Every write, sync, change of a name, and request passes here, so that tests can stop or fail each of them. */
export async function hooked<T>(operation: Operation, run: (bytes?: Uint8Array) => Promise<T>): Promise<T> {
  return watcher === undefined ? await run() : await watcher(operation, run);
}
