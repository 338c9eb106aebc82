import { createHash } from "node:crypto";
import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** Content descriptor (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes, a safe integer ≥ 0. A claim until it is verified: never allocate by it. */
  readonly size: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
}

/** The descriptor of these bytes: their size, and their sha256 as the digest. */
export function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.byteLength };
}
