import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { MirroredRepository } from "./mirror-plan.ts";

/** A file that a runtime reads. */
export interface PlannedFile {
  /** Names of folders and of the file, below the output folder. */
  readonly path: readonly string[];
  /** Other names of the file itself that the runtime reads in the same way: one that exists is used. */
  readonly otherNames?: readonly string[];
  /**
   * @param existing what the file has now; undefined if there is none.
   * @param path of the file, for messages.
   * @throws StorageError if it has something that is neither kept nor replaced.
   */
  content(existing: string | undefined, path: string): string;
}

/** An image that a runtime cannot be led to. */
export interface NotPossible {
  readonly repository: MirroredRepository;
  /** Completes "…, so it is not possible". */
  readonly why: string;
  /** The versions of the runtime that cannot do it, if others can. */
  readonly versions?: string;
}

/** What one runtime needs. */
export interface RuntimeFiles {
  readonly files: readonly PlannedFile[];
  readonly notPossible: readonly NotPossible[];
  /** What a person has to do, or to know. */
  readonly notes: readonly string[];
}

const MARK = "# Written by imgpack mirrors";

/** A text file of ours alone. It begins with a mark, and only a file with the mark is replaced. */
export function ownFile(path: readonly string[], lines: readonly string[]): PlannedFile {
  const text = `${[`${MARK}, which replaces this file when it runs again.`, ...lines].join("\n")}\n`;
  return {
    path,
    content(existing, file) {
      if (existing === undefined || existing.startsWith(MARK)) return text;
      throw cannotWrite(
        file,
        "a file that imgpack did not write, expected none",
        "Move it away, or choose another folder with -o and merge both by hand.",
      );
    },
  };
}

/** @param state "found …, expected …" without the first word. */
export function cannotWrite(path: string, state: string, hint: string): StorageError {
  return new StorageError(`Cannot write ${quote(path)}: found ${state}`, { hint });
}
