import { isUtf8 } from "node:buffer";
import { formatBytes } from "../format.ts";
import { isDigit, JsonLexer, type JsonOptions } from "./json-lexer.ts";
import { ANY, foldKey, type JsonShape } from "./json-shape.ts";

const MAX_DEPTH = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The checks of `parseJson`, in one pass over the bytes. JSON.parse accepts every document that passes.
 *
 * @throws the error of `options.fail` (default ArchiveError).
 */
export function scanJson(bytes: Buffer, options: JsonOptions): void {
  const lexer = new JsonLexer(bytes, options);
  checkEncoding(lexer, bytes, options.maxBytes);
  lexer.space();
  scanValue(lexer, options.shape ?? ANY, 0);
  lexer.space();
  if (lexer.at < bytes.length) {
    throw lexer.fault("json-trailing", `more text at byte ${lexer.at}`, "one JSON value and nothing after it");
  }
}

function checkEncoding(lexer: JsonLexer, bytes: Buffer, maxBytes: number): void {
  if (bytes.length > maxBytes) {
    throw lexer.fault("json-too-large", `${bytes.length} bytes`, `at most ${formatBytes(maxBytes)}`);
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw lexer.fault("json-encoding", "a byte order mark", "UTF-8 without one");
  }
  if (!isUtf8(bytes)) throw lexer.fault("json-encoding", "invalid UTF-8", "UTF-8");
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw lexer.fault("json-encoding", `a NUL byte at byte ${nul}`, "JSON text");
}

function scanValue(lexer: JsonLexer, shape: JsonShape, depth: number): void {
  lexer.token();
  const byte = lexer.next;
  if (byte === QUOTE) lexer.string();
  else if (byte === OPEN_BRACE) scanObject(lexer, shape, depth + 1);
  else if (byte === OPEN_BRACKET) scanArray(lexer, shape, depth + 1);
  else if (byte === MINUS || isDigit(byte)) lexer.number(shape.kind === "integer");
  else if (byte === 0x74) lexer.literal("true");
  else if (byte === 0x66) lexer.literal("false");
  else if (byte === 0x6e) lexer.literal("null");
  else throw lexer.syntax("a value");
}

function scanObject(lexer: JsonLexer, shape: JsonShape, depth: number): void {
  enter(lexer, depth);
  if (lexer.closes(CLOSE_BRACE)) return;
  const seen = new Set<string>();
  for (;;) {
    if (lexer.next !== QUOTE) throw lexer.syntax("a key");
    const key = lexer.key();
    lexer.path.push(key);
    if (seen.has(key)) throw lexer.fault("json-duplicate-key", "the same key twice", "each key once");
    seen.add(key);
    const child = childShape(lexer, shape, key);
    lexer.space();
    lexer.expect(COLON, "a colon");
    lexer.space();
    scanValue(lexer, child, depth);
    lexer.path.pop();
    lexer.space();
    if (lexer.closes(CLOSE_BRACE)) return;
    lexer.expect(COMMA, 'a comma or "}"');
    lexer.space();
  }
}

function childShape(lexer: JsonLexer, shape: JsonShape, key: string): JsonShape {
  if (shape.kind === "map") return shape.values;
  if (shape.kind !== "fixed") return ANY;
  const known = shape.fields.get(key);
  if (known !== undefined) return known;
  const exact = shape.folded.get(foldKey(key));
  if (exact === undefined) return ANY;
  throw lexer.fault(
    "json-folded-key",
    "a key that other readers take for a known field",
    `"${exact}" in this spelling`,
  );
}

function scanArray(lexer: JsonLexer, shape: JsonShape, depth: number): void {
  const items = shape.kind === "list" ? shape.items : ANY;
  enter(lexer, depth);
  if (lexer.closes(CLOSE_BRACKET)) return;
  for (let index = 0; ; index += 1) {
    lexer.path.push(index);
    scanValue(lexer, items, depth);
    lexer.path.pop();
    lexer.space();
    if (lexer.closes(CLOSE_BRACKET)) return;
    lexer.expect(COMMA, 'a comma or "]"');
    lexer.space();
  }
}

function enter(lexer: JsonLexer, depth: number): void {
  if (depth > MAX_DEPTH) throw lexer.fault("json-depth", "deeper nesting", `at most ${MAX_DEPTH} levels`);
  lexer.at += 1;
  lexer.space();
}
