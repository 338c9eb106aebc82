import type { JsonOptions } from "./json-lexer.ts";
import { scanJson } from "./json-scanner.ts";

/**
 * Reads one JSON document, and refuses whatever two common parsers read differently: a repeated key, a key that Go
 * would fold onto a known field, a second value, invalid UTF-8, lone surrogates. Bounded in bytes, depth (64), keys
 * and values (500,000) and the length of one string (1 MiB). Objects of the result are plain: copy free maps into a
 * Map or a null-prototype object before use.
 *
 * @throws what `fail` makes; the message names a JSON pointer, never a value.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  scanJson(text, options);
  return JSON.parse(text.toString("utf8"));
}
