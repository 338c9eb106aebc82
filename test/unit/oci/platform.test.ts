import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import {
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  normalisePlatform,
  type Platform,
  parsePlatform,
  selectPlatform,
} from "../../../src/oci/platform.ts";

describe("parsePlatform()", () => {
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["Linux/AMD64", "linux/amd64"],
    ["linux/ppc64le", "linux/ppc64le"],
    ["macos/arm64", "darwin/arm64"],
    ["windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"],
  ])("reads %s as %s", (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  test.each(["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux amd64", "linux/amd64\n", "a".repeat(300)])(
    "refuses %j",
    text => {
      expect(() => parsePlatform(text)).toThrow(UsageError);
    },
  );
});

test("normalisePlatform() is idempotent and keeps Windows fields", () => {
  const platform = { os: "Windows", architecture: "x86_64", osVersion: "10.0.1.2", osFeatures: ["win32k"] };
  const once = normalisePlatform(platform);
  expect(once).toEqual({ os: "windows", architecture: "amd64", osVersion: "10.0.1.2", osFeatures: ["win32k"] });
  expect(normalisePlatform(once)).toEqual(once);
});

describe("matchesPlatform()", () => {
  test.each([
    ["linux/arm64", "linux/arm64/v8", true],
    ["linux/arm/v7", "linux/arm/v6", true],
    ["linux/arm/v6", "linux/arm/v7", false],
    ["linux/amd64", "linux/amd64/v3", false],
    ["linux/amd64/v3", "linux/amd64", true],
    ["linux/arm64", "linux/arm/v7", false],
    ["linux/amd64", "linux/386", false],
    ["linux/amd64", "windows/amd64", false],
    ["linux/riscv64", "linux/riscv64/rva22", false],
    ["linux/constructor/v2", "linux/constructor", true],
    ["windows(10.0.17763.1)/amd64", "windows(10.0.17763.99)/amd64", true],
    ["windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64", false],
    ["windows/amd64", "windows(10.0.20348)/amd64", true],
    ["unknown/unknown", "unknown/unknown", false],
  ])("%s wanted, %s found: %s", (wanted, found, expected) => {
    expect(matchesPlatform(parsePlatform(wanted), parsePlatform(found))).toBe(expected);
  });
});

describe("selectPlatform()", () => {
  const at = (text: string): { platform: Platform } => ({ platform: parsePlatform(text) });
  const select = (wanted: string, ...found: string[]): string | undefined => {
    const best = selectPlatform(found.map(at), parsePlatform(wanted));
    return best && formatPlatform(best.platform);
  };

  test("prefers the exact variant, then the nearest older one", () => {
    expect(select("linux/arm/v7", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7")).toBe("linux/arm/v7");
    expect(select("linux/arm/v7", "linux/arm/v5", "linux/arm/v6")).toBe("linux/arm/v6");
    expect(select("linux/amd64", "linux/amd64/v3", "linux/amd64")).toBe("linux/amd64");
  });

  test("takes the first of equals", () => {
    expect(select("windows/amd64", "windows(10.0.20348)/amd64", "windows(10.0.17763)/amd64")).toBe(
      "windows(10.0.20348)/amd64",
    );
  });

  test("finds nothing where nothing fits, attestations least of all", () => {
    expect(select("linux/s390x", "linux/amd64", "unknown/unknown")).toBeUndefined();
    expect(select("unknown/unknown", "unknown/unknown")).toBeUndefined();
  });

  test("takes the only entry when it names no platform", () => {
    expect(selectPlatform([{}], parsePlatform("linux/amd64"))).toEqual({});
    expect(selectPlatform([{}, {}], parsePlatform("linux/amd64"))).toBeUndefined();
  });
});

test.each([
  ["x64", "linux/amd64"],
  ["arm64", "linux/arm64"],
  ["arm", "linux/arm/v7"],
  ["ia32", "linux/386"],
  ["ppc64", "linux/ppc64le"],
  ["s390x", "linux/s390x"],
  ["riscv64", "linux/riscv64"],
])("hostPlatform() on Node's %s is %s", (architecture, expected) => {
  expect(formatPlatform(hostPlatform(architecture))).toBe(expected);
});
