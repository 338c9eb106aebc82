import { ArchiveError } from "../errors.ts";
import { formatBytes } from "../util/format.ts";

const MAGICS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["gzip data", [0x1f, 0x8b]],
  ["zstd data", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz data", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2 data", [0x42, 0x5a, 0x68]],
  ["a zip file", [0x50, 0x4b, 0x03, 0x04]],
  ["a program (ELF)", [0x7f, 0x45, 0x4c, 0x46]],
];

/** Describes a file by its first bytes. For messages, never for decisions. */
export function looksLike(bytes: Uint8Array): string {
  for (const [name, magic] of MAGICS) if (magic.every((byte, at) => bytes[at] === byte)) return name;
  const text = Buffer.from(bytes).toString("latin1");
  if (/^\s*[[{]/.test(text)) return "JSON";
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return "a web page";
  if (/^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(text)) return "text";
  const start = Array.from(bytes.subarray(0, 8), byte => byte.toString(16).padStart(2, "0")).join(" ");
  return `unknown data (${start})`;
}

/** @param bytes the file's first bytes, up to 512. @param size of the whole file in bytes, when known. */
export function notATar(bytes: Uint8Array, size: number | undefined, what: string): ArchiveError {
  if (bytes.length === 0) {
    return new ArchiveError("not-a-tar", `Cannot read ${what}: it is an empty file, expected an image archive`, {
      hint: "The copy may be incomplete: compare its size with the sender's, then copy it again.",
    });
  }
  const found = `it looks like ${looksLike(bytes)}${size === undefined ? "" : ` of ${formatBytes(size)}`}`;
  return new ArchiveError("not-a-tar", `Cannot read ${what}: ${found}, expected an image archive`, {
    hint: 'Image archives come from "docker save", "podman save", "skopeo copy" or "imgpack pull".',
  });
}
