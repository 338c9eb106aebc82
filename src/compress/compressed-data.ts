import { ArchiveError } from "../errors.ts";

/** Maximum ratio of output to input; `Infinity` removes the limit. */
export const RATIO_LIMIT: number = 1000;
/** Below this size the ratio is not checked: a tar of zeros can shrink a thousandfold. */
const RATIO_FREE_BYTES = 16 * 1024 * 1024;
/** Zeros that may follow the end, which tapes and block copies leave (security case Z-02). */
export const MAX_PADDING_BYTES: number = 1024 * 1024;
/** The largest usual setting: `zstd --long` uses 2^27 (security case Z-05), `xz -9` uses 2^26. */
export const MAX_WINDOW_BYTES: number = 2 ** 27;

/** Words for a compressed format in messages. */
export interface Wording {
  readonly format: "gzip" | "zstd" | "xz" | "bzip2";
  readonly unit: "member" | "frame" | "stream";
}

/** @throws ArchiveError "inflation-ratio" past the limit (security case Z-01). */
export function checkRatio(read: number, written: number, limit: number, what: string): void {
  if (written <= RATIO_FREE_BYTES || written <= limit * read) return;
  throw new ArchiveError(
    "inflation-ratio",
    `Cannot read ${what}: ${read} bytes inflate to more than ${written}, expected at most ${limit} times as many`,
  );
}

export function truncated({ format, unit }: Wording, what: string, read: number, cause?: unknown): ArchiveError {
  return new ArchiveError(
    `truncated-${format}`,
    `Cannot read ${what}: ${format} data ends at byte ${read} in the middle of a ${unit}, expected its end`,
    { cause, hint: "The copy is incomplete: compare its size with the sender's, then copy it again." },
  );
}

export function damaged({ format, unit }: Wording, what: string, read: number, cause?: unknown): ArchiveError {
  return new ArchiveError(
    `damaged-${format}`,
    `Cannot read ${what}: damaged ${format} data before byte ${read}, expected ${format} ${unit}s only`,
    {
      cause,
      hint: "The file was altered on its way: compare its checksum with the sender's, then copy it again.",
    },
  );
}
