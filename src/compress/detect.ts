export type Compression = "gzip" | "zstd" | "xz" | "bzip2";

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** Number of bytes that `detectCompression` needs. */
export const MAGIC_BYTES = 6;

/** Detects the compression by the first bytes, never by a name; undefined for anything else, such as a plain tar. */
export function detectCompression(start: Uint8Array): Compression | undefined {
  if (isSkippableFrame(start)) return "zstd";
  return MAGICS.find(([, magic]) => magic.every((byte, index) => start[index] === byte))?.[0];
}

/** zstd files can start with a skippable frame: 0x184D2A50 to 0x184D2A5F, little-endian (RFC 8878 section 3.1.2). */
function isSkippableFrame(start: Uint8Array): boolean {
  const [first] = start;
  return first !== undefined && first >> 4 === 5 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
}
