import { expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { encodeSlotHeader, planGaps, planTar } from "../../../src/tar/tar-plan.ts";

function reasonOf(...files: { name: string; size: number }[]): string {
  try {
    planTar(files);
    return "accepted";
  } catch (error) {
    if (error instanceof ArchiveError) return error.reason;
    throw error;
  }
}

test("planTar() lays files out in order and counts padding and end blocks", () => {
  const plan = planTar([
    { name: "oci-layout", size: 30 },
    { name: "empty", size: 0 },
    { name: "blob", size: 1024 },
  ]);
  expect([...plan.slots.values()]).toEqual([
    { name: "oci-layout", headerOffset: 0, bodyOffset: 512, size: 30 },
    { name: "empty", headerOffset: 1024, bodyOffset: 1536, size: 0 },
    { name: "blob", headerOffset: 1536, bodyOffset: 2048, size: 1024 },
  ]);
  expect(plan.totalBytes).toBe(4096);
  expect(planGaps(plan)).toEqual([
    { position: 542, length: 482 },
    { position: 3072, length: 1024 },
  ]);
});

test("planTar() of nothing is an empty archive", () => {
  expect(planTar([])).toEqual({ slots: new Map(), totalBytes: 1024 });
});

test.each<[string, { name: string; size: number }[]]>([
  [
    "duplicate-name",
    [
      { name: "a", size: 1 },
      { name: "a", size: 1 },
    ],
  ],
  [
    "file-and-folder",
    [
      { name: "a", size: 1 },
      { name: "a/b", size: 1 },
    ],
  ],
  [
    "file-and-folder",
    [
      { name: "a/b", size: 1 },
      { name: "a", size: 1 },
    ],
  ],
  ["name-too-long", [{ name: "n".repeat(101), size: 1 }]],
  ["name-too-long", [{ name: "é".repeat(51), size: 1 }]],
  ["unclean-name", [{ name: "./a", size: 1 }]],
  ["dot-dot-segment", [{ name: "a/../b", size: 1 }]],
  ["empty-name", [{ name: "", size: 1 }]],
  ["bad-size", [{ name: "a", size: -1 }]],
  ["bad-size", [{ name: "a", size: 1.5 }]],
  ["bad-size", [{ name: "a", size: 2 ** 53 }]],
  ["bad-size", [{ name: "a", size: Number.NaN }]],
  [
    "bad-size",
    [
      { name: "a", size: 2 ** 52 },
      { name: "b", size: 2 ** 52 },
    ],
  ],
])("planTar() refuses %s: %j", (reason, files) => {
  expect(reasonOf(...files)).toBe(reason);
});

test("planTar() takes names of exactly 100 bytes", () => {
  expect(reasonOf({ name: "n".repeat(100), size: 0 })).toBe("accepted");
});

test("encodeSlotHeader() gives the same 512 bytes each time", () => {
  const slot = { name: "blobs/sha256/ab", headerOffset: 0, bodyOffset: 512, size: 9 };
  expect(encodeSlotHeader(slot)).toHaveLength(512);
  expect(encodeSlotHeader(slot)).toEqual(encodeSlotHeader({ ...slot }));
});
