import { describe, expect, test } from "vitest";
import { escapeForeign, formatBytes, quote } from "../../../src/util/format.ts";

test.each([
  [0, "0 bytes"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [100 * 1024, "100 KiB"],
  [5 * 1024 ** 3, "5.0 GiB"],
  [2048 * 1024 ** 4, "2048 TiB"],
])("formatBytes(%d) is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

describe("escapeForeign() (A-20)", () => {
  test.each([
    ["a terminal escape", "\u001b[31mred", "\\u{1b}[31mred"],
    ["a line break", "a\nb", "a\\u{a}b"],
    ["a right-to-left override", "a\u202eb", "a\\u{202e}b"],
    ["a line separator", "a\u2028b", "a\\u{2028}b"],
    ["a private-use character", "a\u{f0000}b", "a\\u{f0000}b"],
    ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
  ])("escapes %s", (_, text, expected) => {
    expect(escapeForeign(text)).toBe(expected);
  });

  test("leaves printable text of any script alone", () => {
    expect(escapeForeign("héllo 世界 😀")).toBe("héllo 世界 😀");
  });

  test("cuts long text", () => {
    expect(escapeForeign("x".repeat(300))).toBe(`${"x".repeat(256)}…`);
    expect(escapeForeign("abcdef", 3)).toBe("abc…");
  });
});

test("quote() puts double quotes around and escapes those inside", () => {
  expect(quote('a"b')).toBe('"a\\"b"');
});
