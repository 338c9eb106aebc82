import type { Readable } from "node:stream";
import type { IntegrityError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { KnownLocks } from "../lock/known-locks.ts";
import type { ScanOptions, StreamedArchive } from "./streamed-archive.ts";

export interface OpenArchiveOptions {
  /** Is called with what a user should know: a temporary file, a missing end marker. */
  readonly onNote?: ((message: string) => void) | undefined;
  /**
   * Is called with each manifest or config that does not have its digest; their images are skipped. Without it the first
   * one is thrown.
   */
  readonly onDamage?: ((blob: Digest, error: IntegrityError) => void) | undefined;
  /** What `-` reads from (default: stdin of the process). */
  readonly stdin?: Readable | undefined;
  /**
   * Asks an engine for the archive of an image, such as `docker://app:1`: it is a pipe. Default: such a name is refused.
   */
  readonly engine?: ((name: string, signal: AbortSignal | undefined) => Promise<Readable>) | undefined;
  /** The first reading of a streamed archive (default `StreamedArchive.scan`). */
  readonly scan?: ((scan: ScanOptions) => Promise<StreamedArchive>) | undefined;
  /**
   * Is called while a streamed archive is read for the first time: with the bytes that are read, and the size of the file,
   * which is not known of a pipe. At the end both are equal.
   */
  readonly onRead?: ((bytes: number, total: number | undefined) => void) | undefined;
  /** Locks of volumes that the same call has read. Default: none. */
  readonly locks?: KnownLocks | undefined;
  /**
   * Reads a damaged archive of imgpack by what its lock and its sums say. Its images are those of the lock, and need
   * `openArchives`: a patch may have their manifests. Default false: such an archive is refused.
   */
  readonly isTolerant?: boolean | undefined;
  /**
   * The caller refuses what was not signed, before it uses anything of the archive: the lock is not compared with the manifests,
   * so that the signature is what is refused. Default false.
   */
  readonly checksSignature?: boolean | undefined;
  /**
   * Of an archive with more images than this, the manifests are not read yet: `checkImage` does it for each. Default: all are
   * read.
   */
  readonly deferAbove?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
