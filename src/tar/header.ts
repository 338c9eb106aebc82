import type { ArchiveError } from "../errors.ts";
import { decodeOctal, decodeSize, encodeSize, isNumberField } from "./number.ts";
import { refusal, type TarPlace } from "./refusal.ts";

export const BLOCK_BYTES = 512;
/** Longest name in a header without an extension, in bytes. */
export const MAX_HEADER_NAME_BYTES = 100;

type HeaderType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "pax"
  | "pax-global"
  | "gnu-long-name"
  | "gnu-long-link";

export interface TarHeader {
  /**
   * `prefix/name`. Bytes, because a writer that adds a long-name record may cut this field inside a character. A view
   * of the block unless there is a prefix.
   */
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  /** Bytes, a safe integer ≥ 0. */
  readonly size: number;
  readonly type: HeaderType;
}

const TYPES: ReadonlyMap<number, HeaderType> = new Map([
  [0x00, "file"],
  [0x30, "file"],
  [0x31, "hardlink"],
  [0x32, "symlink"],
  [0x35, "directory"],
  [0x78, "pax"],
  [0x67, "pax-global"],
  [0x4c, "gnu-long-name"],
  [0x4b, "gnu-long-link"],
] as const);

const SLASH = Buffer.from("/");
/** Numbers that are checked but not used, by first byte and end. */
const UNUSED_NUMBERS = [
  ["mode", 100, 108],
  ["user id", 108, 116],
  ["group id", 116, 124],
  ["time", 136, 148],
  ["device number", 329, 337],
  ["device number", 337, 345],
] as const;
const DAMAGE_HINT = "The archive is damaged or was altered: compare its digest with the sender's, then copy it again.";
const GNU_SPARSE = 0x53;
const POSIX_MAGIC = "ustar\x0000";
const GNU_MAGIC = "ustar  \0";
const STAR_TRAILER = "tar\0";

export function isZero(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

function hasText(block: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (block[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** The unsigned sum of all bytes, with blanks in the checksum field. */
function sumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at += 1) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK_BYTES; at += 1) sum += block[at] ?? 0;
  return sum;
}

export function hasChecksum(block: Uint8Array): boolean {
  return decodeOctal(block, 148, 156) === sumOf(block);
}

export function hasMagic(block: Uint8Array): boolean {
  return hasText(block, 257, "ustar");
}

type Fail = (reason: string, found: string, expected: string, hint?: string) => ArchiveError;

function textField(block: Uint8Array, start: number, end: number, label: string, fail: Fail): Uint8Array {
  let stop = start;
  while (stop < end && block[stop] !== 0) stop += 1;
  if (!isZero(block, stop, end)) {
    throw fail("bytes-after-nul", `the ${label} field has bytes after its NUL`, "nothing but NULs there");
  }
  return block.subarray(start, stop);
}

type Dialect = "posix" | "gnu" | "v7";

function dialectOf(block: Uint8Array, fail: Fail): Dialect {
  if (hasText(block, 257, POSIX_MAGIC)) {
    if (hasText(block, 508, STAR_TRAILER))
      throw fail("star-header", "a header of the star dialect", "ustar, GNU or v7");
    return "posix";
  }
  if (hasText(block, 257, GNU_MAGIC)) {
    // Readers differ on whether these bytes are a prefix or GNU's times and sparse map.
    if (!isZero(block, 345)) throw fail("gnu-prefix", "a GNU header with bytes in its prefix area", "NULs there");
    return "gnu";
  }
  // Without a magic, GNU tar still writes device numbers, so only the magic and the prefix area must be empty.
  if (!isZero(block, 257, 265) || !isZero(block, 345)) {
    throw fail("bad-magic", "an unknown magic", "that of ustar, GNU tar, or a v7 header with none");
  }
  return "v7";
}

/**
 * Reads one header by a strict grammar: checksum, magic, type flag, size and NUL-terminated text fields. Mode, ids, times
 * and device numbers must be numbers, and are not used.
 *
 * @throws ArchiveError for anything outside the grammar.
 */
export function decodeHeader(block: Uint8Array, place: TarPlace): TarHeader {
  const fail: Fail = (reason, found, expected, hint) => {
    const nul = block.indexOf(0);
    const name = new TextDecoder().decode(block.subarray(0, nul === -1 ? 100 : Math.min(nul, 100)));
    return refusal(reason, { ...place, name }, found, expected, hint);
  };
  if (!hasChecksum(block)) {
    const said = decodeOctal(block, 148, 156);
    const found = said === undefined ? "its checksum is no octal number" : `its checksum says ${said}`;
    throw fail("bad-checksum", found, `${sumOf(block)}`, DAMAGE_HINT);
  }
  const flag = block[156] ?? 0;
  if (flag === GNU_SPARSE) throw fail("sparse-entry", "a sparse file", "a file stored whole");
  const type = TYPES.get(flag);
  if (type === undefined) {
    const shown = `0x${flag.toString(16).padStart(2, "0")}`;
    throw fail("bad-type", `type flag ${shown}`, "a file, directory or link");
  }
  const dialect = dialectOf(block, fail);
  const size = decodeSize(block, 124, 136);
  if (size === undefined) {
    throw fail("bad-size", "its size is no octal or positive base-256 number", "0 to 9007199254740991");
  }
  for (const [label, start, end] of UNUSED_NUMBERS) {
    if (isNumberField(block, start, end)) continue;
    throw fail("bad-number", `its ${label} is no octal or base-256 number`, "a number, or nothing");
  }
  let name = textField(block, 0, 100, "name", fail);
  const linkName = textField(block, 157, 257, "link name", fail);
  if (dialect === "posix") {
    const prefix = textField(block, 345, 500, "prefix", fail);
    if (prefix.length > 0) name = Buffer.concat([prefix, SLASH, name]);
  }
  // Python and tar-stream read such a file as a folder without a body, even if an extension gives it another name.
  if (type === "file" && name[name.length - 1] === SLASH[0]) {
    throw fail("file-with-slash", "a slash at the end of its name", "a name without one");
  }
  return { name, linkName, size, type };
}

/**
 * A deterministic ustar header of a regular file: mode 0644, ids 0, no owner names, mtime 0. The name has 1 to 100
 * bytes and the size is a safe integer ≥ 0; `planTar` has checked both.
 */
export function encodeHeader(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, MAX_HEADER_NAME_BYTES, "utf8");
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  block.set(encodeSize(size), 124);
  block.write("00000000000\0", 136, "latin1");
  block.write("0", 156, "latin1");
  block.write(POSIX_MAGIC, 257, "latin1");
  block.write("0000000\x000000000\0", 329, "latin1");
  block.write(`${sumOf(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
