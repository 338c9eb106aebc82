import { quote } from "../util/format.ts";
import { refusal, type TarPlace } from "./refusal.ts";

/** Largest body of one extended header, in bytes. */
export const MAX_PAX_BYTES: number = 1024 * 1024;
const MAX_PAX_RECORDS = 10_000;
const UTF8_CHARSET = "ISO-IR 10646 2000 UTF-8";

/** The fields of an extended header that imgpack uses; they override those of the next entry. */
export interface PaxOverrides {
  readonly path?: string;
  readonly linkPath?: string;
  /** Bytes, a safe integer ≥ 0. */
  readonly size?: number;
}

const TEXT_KEYS: ReadonlySet<string> = new Set(["path", "linkpath", "uname", "gname", "comment", "hdrcharset"]);
const NEVER_EMPTY: ReadonlySet<string> = new Set(["path", "linkpath", "size"]);
const TIME_KEYS: ReadonlySet<string> = new Set(["mtime", "atime", "ctime"]);
const ID_KEYS: ReadonlySet<string> = new Set(["uid", "gid"]);
/** Keys of other sparse schemes: readers that support them give the file another size or content. */
const SPARSE_KEYS: ReadonlySet<string> = new Set(["SCHILY.realsize", "SUN.holesdata"]);

const FATAL_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array, label: string, place: TarPlace): string {
  if (bytes.includes(0)) throw refusal("pax-nul", place, `a NUL in PAX ${label}`, "text without one");
  try {
    return FATAL_UTF8.decode(bytes);
  } catch (cause) {
    throw Object.assign(refusal("pax-not-utf8", place, `PAX ${label} is not UTF-8`, "valid UTF-8"), { cause });
  }
}

/** Start of the key and end of the record at `start`, by its decimal prefix. */
function measureRecord(body: Uint8Array, start: number, place: TarPlace): { keyStart: number; end: number } {
  let length = 0;
  let at = start;
  for (; at < body.length && at - start <= 7; at += 1) {
    const digit = (body[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && at === start)) break;
    length = length * 10 + digit;
  }
  const end = start + length;
  if (at === start || body[at] !== 0x20 || end > body.length || end <= at + 1) {
    throw refusal(
      "pax-bad-length",
      place,
      `the PAX record at byte ${start} of its block has a false length`,
      "an exact decimal number and a blank",
    );
  }
  if (body[end - 1] !== 0x0a) {
    throw refusal("pax-no-newline", place, `the PAX record at byte ${start} of its block does not end`, "a newline");
  }
  return { keyStart: at + 1, end };
}

function checkNumber(key: string, value: string, pattern: RegExp, place: TarPlace): void {
  if (!pattern.test(value)) {
    throw refusal("pax-bad-number", place, `PAX ${key} is ${quote(value.slice(0, 40))}`, "a decimal number");
  }
}

function decodeSize(value: string, place: TarPlace): number {
  checkNumber("size", value, /^(?:0|[1-9][0-9]{0,15})$/, place);
  const size = Number(value);
  if (!Number.isSafeInteger(size)) {
    throw refusal("pax-bad-number", place, `PAX size is ${value}`, "at most 9007199254740991");
  }
  return size;
}

/**
 * Reads the body of an extended header (POSIX.1-2017 pax, "pax Extended Header"). Unknown keys are ignored: extended
 * attributes are binary and legitimate.
 *
 * @param scope a global header may contain only `comment`, as written by `git archive`.
 * @throws ArchiveError for a record outside the grammar, a repeated key, a sparse map or another charset.
 */
export function decodePax(body: Uint8Array, scope: "entry" | "global", place: TarPlace): PaxOverrides {
  const keys = new Set<string>();
  const overrides: { path?: string; linkPath?: string; size?: number } = {};
  for (let start = 0; start < body.length; ) {
    const { keyStart, end } = measureRecord(body, start, place);
    const equals = body.indexOf(0x3d, keyStart);
    if (equals <= keyStart || equals >= end) {
      throw refusal("pax-no-key", place, `the PAX record at byte ${start} of its block has no key`, '"key=value"');
    }
    const key = decodeText(body.subarray(keyStart, equals), "key", place);
    const value = body.subarray(equals + 1, end - 1);
    if (keys.has(key)) throw refusal("pax-repeated-key", place, `PAX key ${quote(key)} is repeated`, "each key once");
    keys.add(key);
    if (keys.size > MAX_PAX_RECORDS) {
      throw refusal(
        "pax-too-many-records",
        place,
        `more than ${MAX_PAX_RECORDS} PAX records`,
        `at most ${MAX_PAX_RECORDS}`,
      );
    }
    if (scope === "global" && key !== "comment") {
      throw refusal("pax-global", place, `PAX key ${quote(key)} in a global header`, '"comment" only');
    }
    applyRecord(overrides, key, value, place);
    start = end;
  }
  return overrides;
}

function applyRecord(
  overrides: { path?: string; linkPath?: string; size?: number },
  key: string,
  value: Uint8Array,
  place: TarPlace,
): void {
  if (key.startsWith("GNU.sparse.") || SPARSE_KEYS.has(key)) {
    throw refusal("sparse-entry", place, `a sparse file (PAX key ${quote(key)})`, "a file stored whole");
  }
  // GNU tar uses these for volume labels and folder listings, and skips blanks before a key.
  if (key.startsWith("GNU.") || key.startsWith(" ") || key.startsWith("\t")) {
    throw refusal("pax-key", place, `PAX key ${quote(key.slice(0, 40))}`, "one that all readers know or ignore");
  }
  if (NEVER_EMPTY.has(key) && value.length === 0) {
    throw refusal("pax-empty-value", place, `PAX ${key} is empty`, "a value");
  }
  if (TEXT_KEYS.has(key)) {
    const text = decodeText(value, key, place);
    if (key === "path") overrides.path = text;
    if (key === "linkpath") overrides.linkPath = text;
    if (key === "hdrcharset" && text !== UTF8_CHARSET) {
      throw refusal("pax-charset", place, `PAX hdrcharset is ${quote(text.slice(0, 40))}`, `"${UTF8_CHARSET}"`);
    }
  } else if (key === "size") {
    overrides.size = decodeSize(decodeText(value, key, place), place);
  } else if (ID_KEYS.has(key)) {
    checkNumber(key, decodeText(value, key, place), /^(?:-?[0-9]+)?$/, place);
  } else if (TIME_KEYS.has(key)) {
    checkNumber(key, decodeText(value, key, place), /^(?:-?[0-9]+(?:\.[0-9]*)?)?$/, place);
  }
}
