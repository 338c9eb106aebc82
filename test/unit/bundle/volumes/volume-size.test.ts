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

test.each([
  ["", "no size"],
  ["0", "less than a byte"],
  ["-1", "no size"],
  ["4 Gigs", "no size"],
  ["1e9", "no size"],
  ["bd100", "no size"],
  ["9999999T", "more bytes than can be counted"],
  [Number.NaN, "no size"],
  [0.5, "less than a byte"],
])("%s is no size of a volume", (size, found) => {
  expect(() => parseVolumeSize(size)).toThrow(
    expect.objectContaining({
      message: `Cannot use --volume-size "${size}": found ${found}, expected fat32, dvd, bd25, bd50, or a size such as 700M or 4GiB`,
      hint: "For example: --volume-size 4GiB.",
    }),
  );
});
