import { createHash } from "node:crypto";
import type { Descriptor } from "./descriptor.ts";

/** The descriptor of bytes at hand: their length and sha256. */
export function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.byteLength };
}
