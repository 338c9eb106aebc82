import { expect, test } from "vitest";
import { damageLines } from "../../../../src/cli/output/tables/damage-lines.ts";
import { writtenText } from "../../../../src/cli/output/written-text.ts";
import type { WrittenVolume } from "../../../../src/index.ts";
import { digestOf } from "../../../../src/oci/digest.ts";

const MIB = 1024 * 1024;
const EMPTY_DIGEST = digestOf(Buffer.alloc(0));
const WHOLE = { blobs: 14, blobBytes: 52 * MIB, output: "v/site.tar" };

function volumes(...numbers: readonly number[]): readonly WrittenVolume[] {
  return numbers.map(number => ({ number, of: 6, path: `v/site.v0${number}.tar`, bytes: 9 * MIB, images: [] }));
}

test("the summary names the file", () => {
  expect(writtenText(WHOLE)).toBe("14 blobs, 52.0 MiB, to v/site.tar");
});

test("the summary of volumes names the files that there are, and not one that there is not", () => {
  expect(writtenText({ ...WHOLE, volumes: volumes(1, 2, 3, 4, 5, 6) })).toBe(
    "14 blobs, 52.0 MiB, to 6 volumes, v/site.v01.tar … v/site.v06.tar,",
  );
  const [only] = volumes(1).map(volume => ({ ...volume, of: 1 }));
  expect(writtenText({ ...WHOLE, volumes: only === undefined ? [] : [only] })).toBe(
    "14 blobs, 52.0 MiB, to v/site.v01.tar",
  );
});

test("the summary of a volume that is written alone has its own size, not that of the set", () => {
  expect(writtenText({ ...WHOLE, volumes: volumes(2) })).toBe("volume 2 of 6, 9.0 MiB, to v/site.v02.tar");
});

test.each([
  [3, 2, "3 blobs and 2 pieces, 52.0 MiB, to patch.tar"],
  [0, 1, "1 piece, 52.0 MiB, to patch.tar"],
  [1, 0, "1 blob, 52.0 MiB, to patch.tar"],
])("the summary of a patch with %i blobs and %i pieces counts pieces as such", (blobs, pieces, text) => {
  const patch = { of: EMPTY_DIGEST, blobs, pieces, images: [] };
  expect(writtenText({ ...WHOLE, output: "patch.tar", blobs: blobs + pieces, patch })).toBe(text);
});

test.each([
  [[4], "missing: volume 4 of 6 of bundle 0123456789ab"],
  [[2, 5, 6], "missing: volumes 2, 5 and 6 of 6 of bundle 0123456789ab"],
])("missing volumes %j are a list for people", (numbers, line) => {
  const missing = [{ bundle: "sha256:0123456789abcdef", of: 6, volumes: numbers }];
  expect(
    damageLines({ archive: "a.tar", seconds: 0, images: 0, blobs: 0, bytes: 0, faults: [], unchecked: [], missing }),
  ).toEqual([line]);
});

test("the summary of some of the volumes names them, and does not read as all between the first and the last", () => {
  expect(writtenText({ ...WHOLE, volumes: volumes(1, 4) })).toBe(
    "2 of 6 volumes, 18.0 MiB, to v/site.v01.tar, v/site.v04.tar,",
  );
  expect(writtenText({ ...WHOLE, volumes: volumes(1, 2, 3, 4, 6) })).toContain("v/site.v04.tar and 1 more,");
  const shard = { index: 8, of: 9, volumes: 0, ofVolumes: 6, blobs: 0, bytes: 0 };
  expect(writtenText({ ...WHOLE, volumes: [], shard })).toBe("none of 6 volumes");
});
