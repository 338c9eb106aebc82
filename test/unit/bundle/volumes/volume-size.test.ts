import { expect, test } from "vitest";
import { parseVolumeSize } from "../../../../src/bundle/volumes/volume-size.ts";

test.each([
  ["fat32", 4_294_967_295],
  ["DVD", 4_680_000_000],
  ["700M", 700_000_000],
  ["700mb", 700_000_000],
  ["4.7G", 4_700_000_000],
  ["4GiB", 4 * 1024 ** 3],
  ["512k", 512_000],
  ["1 TiB", 1024 ** 4],
  ["123", 123],
  [8_388_608, 8_388_608],
])("a volume of %s has %i bytes", (size, bytes) => {
  expect(parseVolumeSize(size)).toBe(bytes);
});

test.each(["", "0", "-1", "4 Gigs", "1e9", "bd100", "9999999T", Number.NaN, 0.5])("%s is no size of a volume", size => {
  expect(() => parseVolumeSize(size)).toThrow("Cannot use volume size");
});
