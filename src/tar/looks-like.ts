import { ArchiveError } from "../errors.ts";
import { formatBytes } from "../util/format.ts";

/** What a file is that is no archive. */
interface Likeness {
  readonly name: string;
  readonly hint?: string;
}

const MAGICS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["gzip data", [0x1f, 0x8b]],
  ["zstd data", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz data", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2 data", [0x42, 0x5a, 0x68]],
  ["a zip file", [0x50, 0x4b, 0x03, 0x04]],
  ["a program (ELF)", [0x7f, 0x45, 0x4c, 0x46]],
];
const BYTE_ORDER_MARKS: readonly (readonly [name: string, mark: readonly number[]])[] = [
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
  ["UTF-8", [0xef, 0xbb, 0xbf]],
];
/** U+FFFD in UTF-8: what programs write in place of bytes that are no text. */
const REPLACEMENT: Buffer = Buffer.from("\ufffd");
const TEXT_HINT =
  'Windows PowerShell turns binary data into text at ">" and "|": let the program write the file itself, as in "docker save -o FILE IMAGE".';
const PAGE_HINT = "The download gave a page, of a login or an error, instead of the file: download it again.";
const POINTER_HINT = 'Only the pointer is here: fetch the file itself with "git lfs pull".';
const NEED_HINT = 'Fetch what it names with "imgpack pull -f FILE -o patch.tar", and use that file.';
const LOCK_HINT = 'Pull the images that it names with "imgpack pull -f FILE -o images.tar", and use that file.';

/** Describes a file by its first bytes. For messages, never for decisions. */
export function looksLike(bytes: Uint8Array): Likeness {
  const startsWith = ([, magic]: readonly [string, readonly number[]]): boolean =>
    magic.every((byte, at) => bytes[at] === byte);
  const magic = MAGICS.find(startsWith);
  if (magic !== undefined) return { name: magic[0] };
  const mark = BYTE_ORDER_MARKS.find(startsWith);
  if (mark !== undefined) return { name: `${mark[0]} text`, hint: TEXT_HINT };
  if (Buffer.from(bytes).includes(REPLACEMENT))
    return { name: "binary data that was turned into text", hint: TEXT_HINT };
  const text = Buffer.from(bytes).toString("latin1");
  const [, own] = /^\s*\{\s*"format"\s*:\s*"imgpack-(need|lock)"/.exec(text) ?? [];
  if (own === "need") return { name: "a need list", hint: NEED_HINT };
  if (own === "lock") return { name: "a lock", hint: LOCK_HINT };
  if (/^\s*[[{]/.test(text)) return { name: "JSON" };
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return { name: "a web page", hint: PAGE_HINT };
  if (/^version https:\/\/git-lfs\.github\.com\/spec\//.test(text))
    return { name: "a Git LFS pointer", hint: POINTER_HINT };
  if (/^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(text)) return { name: "text" };
  const start = Array.from(bytes.subarray(0, 8), byte => byte.toString(16).padStart(2, "0")).join(" ");
  return { name: `unknown data (${start})` };
}

/**
 * @param bytes the file's first bytes, up to 512.
 * @param size of the whole file in bytes, when known.
 * @param subject what the bytes are of, for example "its gzip data".
 */
export function notATar(bytes: Uint8Array, size: number | undefined, what: string, subject = "it"): ArchiveError {
  if (bytes.length === 0) {
    return new ArchiveError(
      "not-a-tar",
      `Cannot read ${what}: ${subject === "it" ? "it is an empty file" : `${subject} is empty`}, expected an image archive`,
      {
        hint: "The copy may be incomplete: compare its size with the sender's, then copy it again.",
      },
    );
  }
  const { name, hint } = looksLike(bytes);
  const found = `${subject} looks like ${name}${size === undefined ? "" : ` of ${formatBytes(size)}`}`;
  return new ArchiveError("not-a-tar", `Cannot read ${what}: ${found}, expected an image archive`, {
    hint: hint ?? 'Image archives come from "docker save", "podman save", "skopeo copy" or "imgpack pull".',
  });
}
