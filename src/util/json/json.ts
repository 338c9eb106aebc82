import type { JsonOptions } from "./json-lexer.ts";
import { scanJson } from "./json-scanner.ts";

/**
 * Reads one JSON document. Refuses what common parsers read differently: a repeated key, a key that Go matches to a known
 * field of another case, a second value, invalid UTF-8, lone surrogates. Limits: `maxBytes`, `maxTokens`, 64 levels,
 * 1 MiB for one string. Objects of the result are plain: copy free maps into a Map before use.
 *
 * @throws the error of `options.fail` (default ArchiveError); its message has a JSON pointer, never a value.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  scanJson(text, options);
  return JSON.parse(text.toString("utf8"));
}
