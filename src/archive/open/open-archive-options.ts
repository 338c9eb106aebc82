import type { Readable } from "node:stream";
import type { IntegrityError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ScanOptions, StreamedArchive } from "./streamed-archive.ts";

export interface OpenArchiveOptions {
  /** Hears what a person should know: a temporary file, a missing end marker. */
  readonly onNote?: ((message: string) => void) | undefined;
  /**
   * Hears of manifests and configs that are not what their digest says, and goes on without their images; without it the
   * first one is thrown.
   */
  readonly onDamage?: ((blob: Digest, error: IntegrityError) => void) | undefined;
  /** Where `-` reads from; the process's own without it. */
  readonly stdin?: Readable | undefined;
  /** How what must be read from beginning to end is read for the first time; `StreamedArchive.scan` without it. */
  readonly scan?: ((scan: ScanOptions) => Promise<StreamedArchive>) | undefined;
  readonly signal?: AbortSignal | undefined;
}
