import { expect, test } from "vitest";
import { nearestTags } from "../../../src/oci/nearest-tags.ts";
import { cpuMs } from "../../support/cpu-time.ts";

test.each([
  ["a typing error", "lates", ["1.0", "latest", "lts"], ["latest", "lts", "1.0"]],
  ["another spelling", "V1.4.2", ["2.0", "1.4.2", "v1.4.2"], ["v1.4.2", "1.4.2", "2.0"]],
  [
    "a patch that does not exist",
    "1.4.9",
    ["1.5.9", "1.4.2", "1.4.10", "2.4.9"],
    ["1.4.10", "1.4.2", "1.5.9", "2.4.9"],
  ],
  ["a moving version", "1.4", ["2.0", "1.4.2", "1.4.3-alpine", "1.4.3"], ["1.4.3", "1.4.3-alpine", "1.4.2", "2.0"]],
  ["nothing like them", "latest", ["build-7", "1.9", "1.10"], ["1.10", "1.9", "build-7"]],
])("nearestTags() of %s: those that look alike, then newer versions", (_what, wanted, tags, expected) => {
  expect(nearestTags(wanted, tags, 5)).toEqual(expected);
  expect(nearestTags(wanted, tags.toReversed(), 1)).toEqual(expected.slice(0, 1));
});

test("nearestTags() of a page of the longest tags takes less than half a second", () => {
  const tags = Array.from({ length: 1000 }, (_, index) => `ab${index}`.padEnd(128, "ab"));
  expect(cpuMs(() => nearestTags("ba".repeat(64), tags, 5))).toBeLessThan(500);
});
