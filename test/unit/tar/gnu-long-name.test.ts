import { expect, test } from "vitest";
import { decodeLongName } from "../../../src/tar/gnu-long-name.ts";

const place = { what: "the archive", offset: 0 };

test("decodeLongName() takes the text before the NUL, and padding NULs", () => {
  expect(decodeLongName(Buffer.from("a/b\0"), place)).toBe("a/b");
  expect(decodeLongName(Buffer.from("a/b\0\0\0\0"), place)).toBe("a/b");
});

test("decodeLongName() refuses a body without NUL and bytes behind it", () => {
  expect(() => decodeLongName(Buffer.from("a/b"), place)).toThrow(/without its NUL/);
  expect(() => decodeLongName(Buffer.from("a\0b\0"), place)).toThrow(/bytes after its NUL/);
});
