import { describe, expect, test } from "vitest";
import { ArchiveError, AuthError } from "../../../../src/errors.ts";
import { parseJson } from "../../../../src/util/json/json.ts";
import {
  ANY,
  fixedFields,
  foldKey,
  INTEGER,
  type JsonShape,
  listOf,
  mapOf,
} from "../../../../src/util/json/json-shape.ts";

const MIB = 1024 * 1024;
const SHAPE = fixedFields({
  Config: ANY,
  Layers: listOf(fixedFields({ size: INTEGER })),
  labels: mapOf(ANY),
  LayerSources: mapOf(fixedFields({ size: INTEGER })),
  kind: ANY,
});

function parse(text: string | Uint8Array, shape: JsonShape = SHAPE, maxBytes = 4 * MIB): unknown {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return parseJson(bytes, { what: "document", where: "a test", maxBytes, shape });
}

function fault(text: string | Uint8Array, shape?: JsonShape, maxBytes?: number): ArchiveError {
  try {
    parse(text, shape, maxBytes);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("parseJson() accepts", () => {
  test.each([
    ["white space around one value", " \t\r\n{} \n", {}],
    ["every escape", String.raw`["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]`, ['"\\/\b\f\n\r\té😀']],
    ["raw UTF-8", '["ſ€😀"]', ["ſ€😀"]],
    [
      "numbers of every form where no integer is asked for",
      "[0,-0,-1.5e+3,1E2,9007199254740993]",
      [0, -0, -1500, 100, 2 ** 53],
    ],
    ["literals", "[true,false,null]", [true, false, null]],
    ["keys of a free map that differ only in case", '{"labels":{"A":"1","a":"2"}}', { labels: { A: "1", a: "2" } }],
    ["unknown keys beside known ones", '{"Config":"c","Other":1,"other":2}', { Config: "c", Other: 1, other: 2 }],
    [
      "an integer at the limit",
      '{"Layers":[{"size":9007199254740991},{"size":0}]}',
      { Layers: [{ size: 2 ** 53 - 1 }, { size: 0 }] },
    ],
    ["a fixed field of another type, left to the schema", '{"Layers":{"size":1.5}}', { Layers: { size: 1.5 } }],
  ])("%s", (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test("a view into a larger buffer", () => {
    const bytes = new TextEncoder().encode('xx{"a":1}yy');
    expect(parse(bytes.subarray(2, 9))).toEqual({ a: 1 });
  });
});

describe("parseJson() refuses", () => {
  test.each([
    ["J-1 two values", "{}{}", "json-trailing"],
    ["J-1 text after the value", "{} x", "json-trailing"],
    ["J-1 a byte order mark", "\ufeff{}", "json-encoding"],
    ["J-1 a NUL after the value", "{}\0", "json-encoding"],
    ["J-1 a NUL in a string", '["\0"]', "json-encoding"],
    ["J-1 nothing", "", "json-syntax"],
    ["J-1 white space that is not JSON's", "\u00a0{}", "json-syntax"],
    ["J-2 a key twice", '{"a":1,"a":1}', "json-duplicate-key"],
    ["J-2 a key twice, once escaped", String.raw`{"a":1,"\u0061":2}`, "json-duplicate-key"],
    ["J-2 a key twice in a free map", '{"labels":{"x":"1","x":"1"}}', "json-duplicate-key"],
    ["J-2 __proto__ twice", '{"__proto__":1,"__proto__":2}', "json-duplicate-key"],
    ["J-3 another case, alone", '{"config":1}', "json-folded-key"],
    ["J-3 another case, beside the field", '{"Config":1,"CONFIG":2}', "json-folded-key"],
    ["J-3 long s", '{"Layerſ":[]}', "json-folded-key"],
    ["J-3 long s, escaped", String.raw`{"Layer\u017f":[]}`, "json-folded-key"],
    ["J-3 Kelvin sign", '{"\u212aind":1}', "json-folded-key"],
    ["J-3 inside a list", '{"Layers":[{"Size":1}]}', "json-folded-key"],
    ["J-3 in the values of a free map", '{"LayerSources":{"Size":{"SIZE":1}}}', "json-folded-key"],
    ["J-4 invalid UTF-8", Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), "json-encoding"],
    ["J-4 a surrogate in UTF-8", Uint8Array.of(0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d), "json-encoding"],
    ["J-4 an escaped high surrogate alone", String.raw`["\ud83d"]`, "json-encoding"],
    ["J-4 an escaped low surrogate alone", String.raw`["\ude00"]`, "json-encoding"],
    ["J-4 a high surrogate before another escape", String.raw`["\ud83d\u0041"]`, "json-encoding"],
    ["J-6 an exponent", '{"Layers":[{"size":1e3}]}', "json-number"],
    ["J-6 a fraction", '{"Layers":[{"size":1.0}]}', "json-number"],
    ["J-6 minus zero", '{"Layers":[{"size":-0}]}', "json-number"],
    ["J-6 minus one", '{"Layers":[{"size":-1}]}', "json-number"],
    ["J-6 2^53", '{"Layers":[{"size":9007199254740992}]}', "json-number"],
    ["J-6 2^53+1, which JavaScript rounds", '{"Layers":[{"size":9007199254740993}]}', "json-number"],
    ["J-6 2^63", '{"Layers":[{"size":9223372036854775808}]}', "json-number"],
    ["J-6 1e400, which JavaScript reads as infinite", '{"Layers":[{"size":1e400}]}', "json-number"],
    ["J-6 a leading zero", '{"Layers":[{"size":01}]}', "json-syntax"],
    ["a trailing comma in an object", '{"a":1,}', "json-syntax"],
    ["a trailing comma in an array", "[1,]", "json-syntax"],
    ["a missing colon", '{"a" 1}', "json-syntax"],
    ["a key without quotes", "{a:1}", "json-syntax"],
    ["a comment", "{}/**/", "json-trailing"],
    ["a control character in a string", '["\n"]', "json-syntax"],
    ["an unknown escape", String.raw`["\x41"]`, "json-syntax"],
    ["a short unicode escape", String.raw`["\u12"]`, "json-syntax"],
    ["a cut string", '["abc', "json-syntax"],
    ["a cut escape", '["\\', "json-syntax"],
    ["a number with a plus", "[+1]", "json-syntax"],
    ["a number without a fraction", "[1.]", "json-syntax"],
    ["NaN", "[NaN]", "json-syntax"],
    ["a cut literal", "tru", "json-syntax"],
  ])("%s", (_, text, reason) => {
    expect(fault(text).reason).toBe(reason);
  });

  test("J-5 depth 65, and takes depth 64", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parse(nested(64))).not.toThrow();
    expect(fault(nested(65)).reason).toBe("json-depth");
    expect(fault(`${'{"a":'.repeat(65)}1${"}".repeat(65)}`).reason).toBe("json-depth");
    expect(fault("[".repeat(2_000_000)).reason).toBe("json-depth");
  });

  test("J-5 500,001 tokens, and takes 500,000", () => {
    const list = (items: number): string => `[${"1,".repeat(items - 1)}1]`;
    expect(parse(list(499_999))).toHaveLength(499_999);
    expect(fault(list(500_000)).reason).toBe("json-tokens");
  });

  test("J-5 a string over 1 MiB, and takes 1 MiB", () => {
    expect(parse(`["${"x".repeat(MIB)}"]`)).toHaveLength(1);
    expect(fault(`["${"x".repeat(MIB + 1)}"]`).reason).toBe("json-string-length");
    expect(fault(`{"${"x".repeat(MIB + 1)}":1}`).reason).toBe("json-string-length");
  });

  test("J-5 a document over its cap, and takes the cap", () => {
    expect(parse("[1]  ", ANY, 5)).toEqual([1]);
    expect(fault("[1]   ", ANY, 5).reason).toBe("json-too-large");
  });
});

describe("parseJson() errors", () => {
  test("name the JSON pointer, escaped, and never the value (J-8)", () => {
    const text = '{"a/b":[{"c~d":{"secret":"hunter2","secret":"hunter3"}}]}';
    expect(fault(text).message).toBe(
      'Cannot read document from a test: found the same key twice in "/a~1b/0/c~0d/secret", expected each key once',
    );
  });

  test("say how a folded key is spelled", () => {
    expect(fault('{"config":"hunter2"}').message).toBe(
      'Cannot read document from a test: found a key that other readers take for a known field in "/config", expected "Config" in this spelling',
    );
  });

  test("come from `fail` when it is given", () => {
    const fail = (reason: string, message: string): Error => new AuthError(`${reason}: ${message}`);
    expect(() => parseJson(Buffer.from("{"), { what: "token", where: "a test", maxBytes: 10, fail })).toThrow(
      AuthError,
    );
  });
});

test("foldKey() folds no character onto ASCII but A–Z, long s and the Kelvin sign", () => {
  const onto = new Map<string, number[]>();
  for (let point = 0x80; point <= 0x10ffff; point += 1) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const folded = foldKey(String.fromCodePoint(point));
    if (folded.length === 1 && folded.charCodeAt(0) < 0x80) onto.set(folded, [...(onto.get(folded) ?? []), point]);
  }
  expect([...onto]).toEqual([
    ["s", [0x17f]],
    ["k", [0x212a]],
  ]);
});
