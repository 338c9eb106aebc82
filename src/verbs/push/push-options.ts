import type { Readable } from "node:stream";
import type { OnProgress } from "../../content/progress.ts";
import type { Digest } from "../../oci/digest.ts";
import type { PushNameOptions } from "../shared/destinations.ts";
import type { RegistryOptions } from "../shared/registry-pool.ts";

export interface PushOptions extends RegistryOptions, PushNameOptions {
  /** Raw layers: "auto" and "gzip" compress them, "gzip:1" to "gzip:12" at that level, "keep" pushes them as they are. */
  readonly compression?: string | undefined;
  /** Blobs under way at once; 6 without it. */
  readonly concurrency?: number | undefined;
  /** Folder of the digest cache; without it, what is learnt lasts for this call. */
  readonly cacheFolder?: string | undefined;
  /**
   * Indexes that name more than the archive holds: "prune" (the default) leaves the absent entries out, "keep" pushes the
   * index as it is, "fail" refuses.
   */
  readonly sparse?: "prune" | "keep" | "fail" | undefined;
  /** Where the archive `-` is read from; the process's stdin without it. */
  readonly stdin?: Readable | undefined;
  /** Plans, and sends nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedImage {
  /** `registry/repository:tag`. */
  readonly reference: string;
  /** Absent in a dry run where a layer is still to be compressed. */
  readonly digest?: Digest;
  /** The digest in the archive, where raw layers were compressed or absent platforms left out of an index. */
  readonly previousDigest?: Digest;
}
