import { exactBytes } from "../format.ts";
import { scanJson } from "./json-scanner.ts";

export interface JsonLimit {
  readonly maxBytes: number;
  /** Keys and values; undefined for what is not read as one JSON document. */
  readonly maxTokens: number | undefined;
}

export interface JsonExcess {
  readonly found: string;
  readonly expected: string;
}

/**
 * In what a document that was made is beyond the limits of its reader; undefined if it is not.
 *
 * @param bytes undefined where only the size is known.
 */
export function jsonExcess(
  size: number,
  bytes: Uint8Array | undefined,
  { maxBytes, maxTokens }: JsonLimit,
): JsonExcess | undefined {
  if (size > maxBytes) return { found: exactBytes(size), expected: `at most ${exactBytes(maxBytes)}` };
  // A key or a value takes two bytes or more.
  if (bytes === undefined || maxTokens === undefined || size <= 2 * maxTokens) return undefined;
  let isBeyond = false;
  const fail = (reason: string, message: string): Error => {
    isBeyond = reason === "json-tokens";
    return new Error(message);
  };
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    scanJson(text, { what: "document", where: "memory", maxBytes, maxTokens, fail });
  } catch (error) {
    if (!isBeyond) throw error;
    const expected = `at most ${maxTokens.toLocaleString("en")} keys and values`;
    return { found: `more than ${expected.slice("at most ".length)}`, expected };
  }
  return undefined;
}
