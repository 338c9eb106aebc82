import { linesOf } from "./parse-list.ts";

const MAGIC = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58],
  [0x42, 0x5a, 0x68],
];

/** Whether a file is rather an archive than a text: compressed, or with a NUL byte. @param start its first bytes. */
export function isArchiveStart(start: Uint8Array): boolean {
  if (MAGIC.some(magic => magic.every((byte, index) => start[index] === byte))) return true;
  const isWide = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
  return !isWide && start.includes(0);
}

/** A key of YAML or JSON, a list item, a document marker, or a template of one. */
const STRUCTURED = /^(?:---(?:\s|$)|%YAML\s|- |[{[]|["']?[\w.$/-]+["']?\s*:(?:\s|$)|[A-Z][A-Z ]+:(?:\s|$))/;

/** Whether a text is YAML or JSON, and not a plain list: by its first line that is neither empty nor a comment. */
export function isStructured(text: string): boolean {
  for (const line of linesOf(text)) {
    const first = line.trimStart();
    if (first !== "" && !first.startsWith("#")) return STRUCTURED.test(first);
  }
  return false;
}
