import { createHash } from "node:crypto";
import { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { oneCopy } from "../util/lazy/one-copy.ts";

/** `sha256:` or `sha512:`, followed by lower-case hexadecimal digits. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const HEX_LENGTH = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof HEX_LENGTH;

/**
 * True for `sha256:` with 64 or `sha512:` with 128 lower-case hexadecimal digits (image-spec descriptor.md); false for
 * other registered algorithms, which imgpack cannot compute.
 */
export function isDigest(text: unknown): text is Digest {
  if (typeof text !== "string") return false;
  const algorithm = text.slice(0, 6);
  if (text[6] !== ":" || (algorithm !== "sha256" && algorithm !== "sha512")) return false;
  const hex = text.slice(7);
  if (hex.length !== HEX_LENGTH[algorithm] || !/^[0-9a-f]*$/.test(hex)) return false;
  oneCopy(text);
  return true;
}

/** @throws ArchiveError "bad-digest" if the text is not a digest. */
export function parseDigest(text: unknown, where: string): Digest {
  if (isDigest(text)) return text;
  throw new ArchiveError(
    "bad-digest",
    `Cannot read digest in ${where}: found ${quote(String(text))}, expected sha256:<64 hex digits> or sha512:<128>`,
  );
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The digest of these bytes; default sha256. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

export function digestHex(digest: Digest): string {
  return digest.slice(7);
}
