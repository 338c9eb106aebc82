import fc from "fast-check";
import { expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import { parseJson } from "../../src/util/json/json.ts";

const options = { what: "document", where: "a test", maxBytes: 1024 * 1024 };

/** What parseJson makes of it: the value, or the reason of the refusal. */
function outcome(bytes: Uint8Array): { readonly value: unknown } | { readonly reason: string } {
  try {
    return { value: parseJson(bytes, options) };
  } catch (error) {
    if (error instanceof ArchiveError) return { reason: error.reason };
    throw error;
  }
}

function parsesAsJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

test("parseJson() reads whatever JSON.stringify writes, compact or indented", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8, stringUnit: "grapheme" }), fc.nat(4), (text, indent) => {
      const value: unknown = JSON.parse(text);
      const bytes = new TextEncoder().encode(JSON.stringify(value, null, indent));
      expect(outcome(bytes)).toEqual({ value });
    }),
  );
});

test("parseJson() accepts nothing that JSON.parse refuses, and refuses what it accepts only by a rule of its own", () => {
  const word = fc.constantFrom(
    ...'{}[]:,"\\ \n\t0123456789-+.eEu',
    "true",
    "null",
    '"a"',
    '"a":',
    '{"a":1}',
    "\\u0061",
    "\\ud83d",
    "\\ude00",
    "é",
    "1e5",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), words => {
      const bytes = new TextEncoder().encode(words.join(""));
      const result = outcome(bytes);
      if ("value" in result) expect(parsesAsJson(bytes)).toBe(true);
      else if (parsesAsJson(bytes)) expect(["json-duplicate-key", "json-encoding"]).toContain(result.reason);
    }),
    { numRuns: 5000 },
  );
});

test("parseJson() answers any bytes with a value or an ArchiveError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      const result = outcome(bytes);
      if ("value" in result) expect(parsesAsJson(bytes)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("parseJson() refuses every cut of an object", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true }),
      fc.nat(),
      (value, seed) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value));
        expect(outcome(bytes.subarray(0, seed % bytes.length))).toHaveProperty("reason");
      },
    ),
  );
});
