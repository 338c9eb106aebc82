import { type Digest, digestOf } from "./digest.ts";
import { formatPlatform, type Platform } from "./platform.ts";

/** Names a blob or manifest by digest, size and media type (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes, a safe integer ≥ 0. A claim until it is verified: never allocate by it. */
  readonly size: number;
  /** Of an image in an index. */
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
}

/** The descriptor of these bytes: their size, and their sha256 as the digest. */
export function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

/** What messages call an entry of an index: its platform, or else its digest. */
export function platformLabel({ platform, digest }: Pick<Descriptor, "platform" | "digest">): string {
  return platform === undefined ? digest : formatPlatform(platform);
}
