import type { ByteRange } from "../../content/contracts.ts";

/** "whole": no usable range was asked for. "unsatisfiable": status 416. */
export type RangeAnswer = ByteRange | "whole" | "unsatisfiable";

/**
 * Reads a Range header against a blob of `size` bytes (RFC 9110 section 14). Other units, several ranges and malformed
 * ones give the whole blob, as the RFC allows; an inverted range is 416 because the conformance suite demands it.
 */
export function parseByteRange(header: string | undefined, size: number): RangeAnswer {
  const match = /^bytes=([0-9]{0,16})-([0-9]{0,16})$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const start = Math.max(0, size - Number(last));
    return start < size ? { start, end: size } : "unsatisfiable";
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}

/** Inclusive bounds of an upload chunk, `<first>-<last>` without unit and total (distribution specification). */
export function parseChunkRange(header: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(header);
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2]) };
}
