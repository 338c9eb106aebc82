import { expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { checkLinkTarget, cleanName, decodeUtf8 } from "../../../src/tar/clean-name.ts";

const place = { what: "the archive", offset: 0 };

function reasonOf(action: () => unknown): string {
  try {
    return `accepted ${JSON.stringify(action())}`;
  } catch (error) {
    if (error instanceof ArchiveError) return error.reason;
    throw error;
  }
}

test.each([
  ["a", false, "a"],
  ["./a", false, "a"],
  ["a/b.c", false, "a/b.c"],
  ["..a/b..", false, "..a/b.."],
  [".hidden", false, ".hidden"],
  ["d/", true, "d"],
  ["d", true, "d"],
  ["./d/e/", true, "d/e"],
  ["./", true, ""],
  [".", true, ""],
  ["sha256:ab", false, "sha256:ab"],
  ["ünï/cödé ☃", false, "ünï/cödé ☃"],
])("cleanName() takes %j (directory: %s) as %j", (name, isDirectory, expected) => {
  expect(cleanName(name, isDirectory, place)).toBe(expected);
});

test.each([
  ["", "empty-name"],
  [".", "dot-segment"],
  ["./", "empty-segment"],
  ["/a", "absolute-name"],
  [".//a", "absolute-name"],
  ["a//b", "empty-segment"],
  ["a/", "file-with-slash"],
  ["..", "dot-dot-segment"],
  ["a/../b", "dot-dot-segment"],
  ["././a", "dot-segment"],
  ["a/./b", "dot-segment"],
  ["a/.", "dot-segment"],
  ["a\\b", "backslash-in-name"],
  ["a\nb", "control-in-name"],
  ["a\u007f", "control-in-name"],
  ["a\u009b", "control-in-name"],
  ["a\0", "control-in-name"],
])("cleanName() refuses the file name %j as %s", (name, reason) => {
  expect(reasonOf(() => cleanName(name, false, place))).toBe(reason);
});

test("cleanName() takes 4096 bytes and 64 segments, and no more", () => {
  for (const long of ["n".repeat(4097), "é".repeat(2049)]) {
    expect(reasonOf(() => cleanName(long, false, place))).toBe("name-too-long");
  }
  expect(reasonOf(() => cleanName("a/".repeat(64).concat("a"), false, place))).toBe("name-too-deep");
  expect(cleanName("n".repeat(4096), false, place)).toHaveLength(4096);
  expect(cleanName("a/".repeat(63).concat("a"), false, place)).toHaveLength(127);
});

test("checkLinkTarget() takes relative and absolute targets and refuses unprintable ones", () => {
  expect(reasonOf(() => checkLinkTarget("../x/layer.tar", place))).toBe("accepted undefined");
  expect(reasonOf(() => checkLinkTarget("/usr/x", place))).toBe("accepted undefined");
  expect(reasonOf(() => checkLinkTarget("", place))).toBe("empty-link-target");
  expect(reasonOf(() => checkLinkTarget("a\\b", place))).toBe("backslash-in-link-target");
  expect(reasonOf(() => checkLinkTarget("a\u001b", place))).toBe("control-in-link-target");
});

test("decodeUtf8() refuses what a lenient decoder would fold into U+FFFD, and keeps a BOM", () => {
  expect(reasonOf(() => decodeUtf8(Uint8Array.of(0x61, 0xff), place))).toBe("name-not-utf8");
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), place)).toBe("\ufeffa");
});
