import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, newestVersion, parseVersion, sortByVersion, type Version } from "../../../src/oci/semver.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const tagText = fc.oneof(
  fc.stringMatching(/^v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-[0-9a-z]{1,4}(\.[0-9a-z]{1,3}){0,2})?$/),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/),
);

function version(tag: string): Version {
  const parsed = parseVersion(tag);
  if (parsed === undefined) throw new Error(`${tag} is no version`);
  return parsed;
}

describe("parseVersion()", () => {
  test.each([
    ["1.2.3", [1, 2, 3], []],
    ["v1.2", [1, 2], []],
    ["7", [7], []],
    ["2024.01.15", [2024, 1, 15], []],
    ["1.2.3.4", [1, 2, 3, 4], []],
    ["1.2.3-rc.1", [1, 2, 3], ["rc", "1"]],
    ["1.2.3-alpine3.19", [1, 2, 3], ["alpine3", "19"]],
    ["1.2.3_build.5", [1, 2, 3], []],
  ])("parseVersion() reads %s", (tag, numbers, prerelease) => {
    expect(parseVersion(tag)).toEqual({ tag, numbers, prerelease });
  });

  test.each(["latest", "main-abc123", "sha256-0123", "1.2.", "1..2", "1.2.3.4.5", "a1.2", "1.2-", "1234567890123456"])(
    "parseVersion() reads no version in %s",
    tag => {
      expect(parseVersion(tag)).toBeUndefined();
    },
  );

  test("parseVersion() takes time linear in the length of a tag", () => {
    for (const text of [`1-${"a.".repeat(50_000)}!`, `1.${"1".repeat(100_000)}`, `1_${"a".repeat(100_000)}!`]) {
      expect(cpuMs(() => expect(parseVersion(text)).toBeUndefined())).toBeLessThan(500);
    }
  });
});

describe("compareVersions()", () => {
  // The order of section 11 of the specification, then what tags add to it.
  test.each([
    ["1.0.0-alpha", "1.0.0-alpha.1"],
    ["1.0.0-alpha.1", "1.0.0-alpha.beta"],
    ["1.0.0-alpha.beta", "1.0.0-beta"],
    ["1.0.0-beta", "1.0.0-beta.2"],
    ["1.0.0-beta.2", "1.0.0-beta.11"],
    ["1.0.0-beta.11", "1.0.0-rc.1"],
    ["1.0.0-rc.1", "1.0.0"],
    ["1.9.0", "1.10.0"],
    ["1.2.9", "1.3"],
    ["1.2", "1.2.0"],
    ["v1.2.0", "1.2.0"],
    ["1.2.3", "1.2.3.1"],
  ])("compareVersions() holds %s older than %s", (older, newer) => {
    expect(compareVersions(version(older), version(newer))).toBeLessThan(0);
    expect(compareVersions(version(newer), version(older))).toBeGreaterThan(0);
  });

  test("compareVersions() is an order: any arrangement sorts alike, and nothing is lost", () => {
    fc.assert(
      fc.property(fc.uniqueArray(tagText, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (tags, numbers) => {
        const shuffled = tags
          .map(tag => ({ tag, key: numbers.next().value ?? 0 }))
          .sort((left, right) => left.key - right.key)
          .map(({ tag }) => tag);
        expect(sortByVersion(shuffled)).toEqual(sortByVersion(tags));
        expect(sortByVersion(tags).toSorted()).toEqual(tags.toSorted());
      }),
    );
  });
});

describe("newestVersion()", () => {
  test("newestVersion() leaves out pre-releases and what is no version, unless asked", () => {
    const tags = ["latest", "1.4.2", "1.10.0", "1.9.9", "2.0.0-rc.1", "main"];
    expect(newestVersion(tags)).toBe("1.10.0");
    expect(newestVersion(tags, true)).toBe("2.0.0-rc.1");
    expect(newestVersion(["latest", "main", "2.0.0-rc.1"])).toBeUndefined();
  });

  test("newestVersion() takes a bare number for a version only where there is nothing else", () => {
    expect(newestVersion(["20240115", "1.4.2", "4711"])).toBe("1.4.2");
    expect(newestVersion(["9", "10", "latest"])).toBe("10");
  });

  test("newestVersion() prefers the full name among tags of one version", () => {
    expect(newestVersion(["v1.4", "1.4", "1.4.0", "v1.4.0"])).toBe("1.4.0");
  });
});
