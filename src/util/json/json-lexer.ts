import { isAscii } from "node:buffer";
import { ArchiveError } from "../../errors.ts";
import { quote } from "../format.ts";
import type { JsonShape } from "./json-shape.ts";

export type JsonFault =
  | "json-too-large"
  | "json-encoding"
  | "json-syntax"
  | "json-trailing"
  | "json-depth"
  | "json-tokens"
  | "json-string-length"
  | "json-duplicate-key"
  | "json-folded-key"
  | "json-number";

export interface JsonOptions {
  /** Kind of the document, for messages, such as "manifest.json". */
  readonly what: string;
  /** Where it comes from, for messages; foreign names are quoted already. */
  readonly where: string;
  readonly maxBytes: number;
  /** Keys and values; default 500,000. */
  readonly maxTokens?: number;
  /** Which objects have fixed fields, and which numbers must be integers (default: none). */
  readonly shape?: JsonShape;
  /** Makes the error (default: an ArchiveError). */
  readonly fail?: (reason: JsonFault, message: string) => Error;
}

/** Keys and values of a document without a limit of its own. */
export const MAX_JSON_TOKENS = 500_000;
const MAX_STRING_BYTES = 1024 * 1024;

const MINUS = 0x2d;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPABLE: ReadonlySet<number | undefined> = new Set(Buffer.from('"\\/bfnrt'));

/** Reads the tokens of JSON: strings, numbers, literals, white space. */
export class JsonLexer {
  /** Keys and indexes that lead to the current value. */
  readonly path: (string | number)[] = [];
  /** Position of the next byte. */
  at = 0;
  readonly #bytes: Buffer;
  readonly #options: JsonOptions;
  /** The document if it is ASCII, as nearly all are: slicing it is much cheaper than decoding each key. */
  readonly #ascii: string | undefined;
  readonly #maxTokens: number;
  #tokens = 0;

  constructor(bytes: Buffer, options: JsonOptions) {
    this.#bytes = bytes;
    this.#ascii = bytes.length <= options.maxBytes && isAscii(bytes) ? bytes.toString("latin1") : undefined;
    this.#options = options;
    this.#maxTokens = options.maxTokens ?? MAX_JSON_TOKENS;
  }

  get next(): number | undefined {
    return this.#bytes[this.at];
  }

  closes(byte: number): boolean {
    if (this.#bytes[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }

  key(): string {
    this.token();
    const start = this.at;
    const escaped = this.string();
    return escaped ? String(JSON.parse(this.#slice(start, this.at))) : this.#slice(start + 1, this.at - 1);
  }

  #slice(start: number, end: number): string {
    return this.#ascii === undefined ? this.#bytes.toString("utf8", start, end) : this.#ascii.slice(start, end);
  }

  /** Reads a string with its quotes. @returns whether it contains an escape. */
  string(): boolean {
    const bytes = this.#bytes;
    const start = this.at + 1;
    let at = start;
    let escaped = false;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === BACKSLASH) {
        at = this.#escape(at);
        escaped = true;
      } else {
        this.at = at;
        if (byte === undefined || byte < 0x20) throw this.syntax("the rest of a string");
        at += 1;
      }
    }
    this.at = at + 1;
    if (at - start > MAX_STRING_BYTES) {
      throw this.fault("json-string-length", `a string of ${at - start} bytes`, `at most ${MAX_STRING_BYTES} bytes`);
    }
    return escaped;
  }

  #escape(at: number): number {
    this.at = at;
    if (ESCAPABLE.has(this.#bytes[at + 1])) return at + 2;
    const unit = this.#codeUnit(at);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    if (unit < 0xdc00 && this.#bytes[at + 6] === BACKSLASH) {
      const low = this.#codeUnit(at + 6);
      if (low >= 0xdc00 && low <= 0xdfff) return at + 12;
    }
    // Other parsers turn it into U+FFFD, which can make two keys equal.
    throw this.fault("json-encoding", `a lone surrogate at byte ${at}`, "a surrogate pair");
  }

  #codeUnit(at: number): number {
    if (this.#bytes[at + 1] !== 0x75) throw this.syntax("a JSON escape");
    let unit = 0;
    for (let digit = at + 2; digit < at + 6; digit += 1) {
      const value = hexValue(this.#bytes[digit]);
      if (value === undefined) throw this.syntax("a JSON escape");
      unit = unit * 16 + value;
    }
    return unit;
  }

  number(mustBeInteger: boolean): void {
    const bytes = this.#bytes;
    const start = this.at;
    if (bytes[this.at] === MINUS) this.at += 1;
    if (bytes[this.at] === ZERO) this.at += 1;
    else this.#digits();
    const integerEnd = this.at;
    if (bytes[this.at] === 0x2e) {
      this.at += 1;
      this.#digits();
    }
    if (bytes[this.at] === 0x65 || bytes[this.at] === 0x45) {
      this.at += 1;
      if (bytes[this.at] === MINUS || bytes[this.at] === 0x2b) this.at += 1;
      this.#digits();
    }
    if (!mustBeInteger) return;
    const plain = bytes[start] !== MINUS && integerEnd === this.at && integerEnd - start <= 16;
    if (plain && Number(bytes.toString("latin1", start, integerEnd)) <= Number.MAX_SAFE_INTEGER) return;
    throw this.fault("json-number", "a number that is no plain integer", "digits only, from 0 to 2^53-1");
  }

  #digits(): void {
    if (!isDigit(this.#bytes[this.at])) throw this.syntax("a digit");
    while (isDigit(this.#bytes[this.at])) this.at += 1;
  }

  literal(word: string): void {
    if (this.#bytes.toString("latin1", this.at, this.at + word.length) !== word) throw this.syntax("a value");
    this.at += word.length;
  }

  expect(byte: number, what: string): void {
    if (!this.closes(byte)) throw this.syntax(what);
  }

  space(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.at += 1;
    }
  }

  token(): void {
    this.#tokens += 1;
    if (this.#tokens > this.#maxTokens) {
      throw this.fault("json-tokens", "too many keys and values", `at most ${this.#maxTokens}`);
    }
  }

  syntax(expected: string): Error {
    const end = this.at >= this.#bytes.length;
    return this.fault("json-syntax", end ? "the end of the text" : `a bad byte at byte ${this.at}`, expected);
  }

  fault(reason: JsonFault, found: string, expected: string): Error {
    const { what, where, fail = (code, text) => new ArchiveError(code, text) } = this.#options;
    const pointer = this.path.length === 0 ? "" : ` in ${quote(jsonPointer(this.path))}`;
    return fail(reason, `Cannot read ${what} from ${where}: found ${found}${pointer}, expected ${expected}`);
  }
}

/** The path as a JSON pointer (RFC 6901); "" is the whole document. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map(step => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

function hexValue(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
