import { isUtf16 } from "./decode-text.ts";

const MAGIC = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58],
  [0x42, 0x5a, 0x68],
];

/** Whether a file is rather an archive than a text: compressed, or with a NUL byte. @param start its first bytes. */
export function isArchiveStart(start: Uint8Array): boolean {
  if (MAGIC.some(magic => magic.every((byte, index) => start[index] === byte))) return true;
  return !isUtf16(start) && start.includes(0);
}
