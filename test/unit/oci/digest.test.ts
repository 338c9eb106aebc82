import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { digestAlgorithm, digestHex, isDigest, parseDigest } from "../../../src/oci/digest.ts";

const HEX = "0123456789abcdef".repeat(4);

describe("isDigest() (M-05)", () => {
  test.each([`sha256:${HEX}`, `sha512:${HEX}${HEX}`])("accepts %s", text => {
    expect(isDigest(text)).toBe(true);
  });

  test.each([
    "",
    "sha256",
    "sha256:",
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX}0`,
    `sha256:${HEX.toUpperCase()}`,
    `sha512:${HEX}`,
    `sha256:${HEX}${HEX}`,
    `md5:${"0".repeat(32)}`,
    `blake3:${HEX}`,
    `sha256+b64:${HEX}`,
    "sha256:../../etc/passwd",
    ` sha256:${HEX}`,
    `sha256:${HEX}\n`,
    HEX,
    7,
    null,
    undefined,
  ])("refuses %s", text => {
    expect(isDigest(text)).toBe(false);
  });
});

test("parseDigest() names the place and escapes what it found", () => {
  expect(() => parseDigest("sha256:\u001b[2J", "layer 3")).toThrow(ArchiveError);
  expect(() => parseDigest("sha256:\u001b[2J", "layer 3")).toThrow(/layer 3: found "sha256:\\u\{1b\}\[2J"/);
});

test("digestAlgorithm() and digestHex() take a digest apart", () => {
  expect(digestAlgorithm(`sha512:${HEX}${HEX}`)).toBe("sha512");
  expect(digestAlgorithm(`sha256:${HEX}`)).toBe("sha256");
  expect(digestHex(`sha256:${HEX}`)).toBe(HEX);
});
