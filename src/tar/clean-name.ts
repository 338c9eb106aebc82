import { refusal, type TarPlace } from "./refusal.ts";

export const MAX_NAME_BYTES = 4096;
const MAX_SEGMENTS = 64;
const FATAL_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws ArchiveError on invalid UTF-8: a lenient decoder would turn two names into one. */
export function decodeUtf8(bytes: Uint8Array, place: TarPlace): string {
  try {
    return FATAL_UTF8.decode(bytes);
  } catch (cause) {
    throw Object.assign(refusal("name-not-utf8", place, "text that is not UTF-8", "valid UTF-8"), { cause });
  }
}

function checkText(text: string, label: string, place: TarPlace): void {
  if (text === "") throw refusal(`empty-${label}`, place, `an empty ${label}`, "at least one character");
  if (text.length > MAX_NAME_BYTES || Buffer.byteLength(text) > MAX_NAME_BYTES) {
    throw refusal(
      `${label}-too-long`,
      place,
      `a ${label} of ${Buffer.byteLength(text)} bytes`,
      `at most ${MAX_NAME_BYTES}`,
    );
  }
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) throw refusal(`backslash-in-${label}`, place, `a backslash in its ${label}`, "slashes only");
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) {
      throw refusal(`control-in-${label}`, place, `a control character in its ${label}`, "printable text");
    }
  }
}

/** Checks the text of any link target. Its meaning is checked when the link is followed. */
export function checkLinkTarget(target: string, place: TarPlace): void {
  checkText(target, "link-target", place);
}

/**
 * The name of an entry without a leading `./` and a directory's trailing slash. The empty string is the root of the
 * archive, which only a directory may name.
 *
 * @throws ArchiveError for a name that is absolute, or has `..`, inner `.` or empty segments, a backslash or control
 * characters, more than 4096 bytes or more than 64 segments.
 */
export function cleanName(name: string, isDirectory: boolean, place: TarPlace): string {
  checkText(name, "name", place);
  if (isDirectory && (name === "." || name === "./")) return "";
  let cleaned = name;
  if (cleaned.startsWith("./")) cleaned = cleaned.slice(2);
  if (cleaned.startsWith("/")) throw refusal("absolute-name", place, "an absolute name", "a relative one");
  if (cleaned.endsWith("/")) {
    if (!isDirectory) throw refusal("file-with-slash", place, "a slash at the end of its name", "a name without one");
    cleaned = cleaned.slice(0, -1);
  }
  checkSegments(cleaned, place);
  return cleaned;
}

function checkSegments(name: string, place: TarPlace): void {
  let count = 0;
  for (let start = 0; start <= name.length; count += 1) {
    const slash = name.indexOf("/", start);
    const end = slash === -1 ? name.length : slash;
    if (end === start) throw refusal("empty-segment", place, "an empty segment in its name", "none");
    if (name[start] === ".") {
      if (end === start + 1) throw refusal("dot-segment", place, 'a "." segment in its name', "none");
      if (end === start + 2 && name[start + 1] === ".") {
        throw refusal("dot-dot-segment", place, 'a ".." segment in its name', "none");
      }
    }
    start = end + 1;
  }
  if (count > MAX_SEGMENTS) {
    throw refusal("name-too-deep", place, `a name of ${count} segments`, `at most ${MAX_SEGMENTS}`);
  }
}
