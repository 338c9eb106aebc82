import { describe, expect, test } from "vitest";
import { formatSums, type SumsContents, sumsBytes } from "../../../../src/bundle/sums/format-sums.ts";
import { parseSums, wholePieces } from "../../../../src/bundle/sums/parse-sums.ts";
import { pieceCount } from "../../../../src/bundle/sums/sums.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { sha256Of } from "../../../support/memory-blobs.ts";

const PIECE = 1024;
const hex = (text: string): string => sha256Of(Buffer.from(text)).slice(7);
const big: Digest = `sha256:${hex("big")}`;
const split: Digest = `sha256:${hex("split")}`;
const contents: SumsContents = {
  pieceBytes: PIECE,
  files: [
    { name: "index.json", bytes: Buffer.from('{"ä":"\n"}'), copy: "text" },
    { name: "imgpack.json", bytes: Buffer.from("{}") },
    { name: "imgpack.sig", bytes: Buffer.of(0xff, 0, 0x80), copy: "base64" },
  ],
  blobs: [
    { digest: big, size: 2 * PIECE + 1, pieces: ["a", "b", "c"].map(hex) },
    { digest: split, size: 1000, part: { number: 2, from: 700 }, pieces: ["d", "e"].map(hex) },
  ],
};
const text = formatSums(contents);

describe("parseSums()", () => {
  test("parseSums() reads what formatSums() wrote, with or without an order", () => {
    for (const order of [undefined, ["index.json", "blobs/sha256/0"]]) {
      const sums = parseSums(Buffer.from(formatSums({ ...contents, order })));
      expect(sums).toMatchObject({ pieceBytes: PIECE, order, isIntact: true });
      expect(sums?.files.map(({ name, size, copy }) => [name, size, copy && Buffer.from(copy)])).toEqual([
        ["index.json", 10, contents.files[0]?.bytes],
        ["imgpack.json", 2, undefined],
        ["imgpack.sig", 3, contents.files[2]?.bytes],
      ]);
      expect(sums?.blobs).toEqual([
        { digest: big, pieces: ["a", "b", "c"].map(hex) },
        { digest: split, pieces: ["d", "e"].map(hex), part: { number: 2, from: 700, to: 1700 } },
      ]);
      expect(sums && wholePieces(sums, big, 2 * PIECE + 1)).toHaveLength(3);
      expect(sums && [wholePieces(sums, big, 2 * PIECE), wholePieces(sums, split, 1000)]).toEqual([
        undefined,
        undefined,
      ]);
    }
  });

  test("sumsBytes() is the size of formatSums(), before and after its hashes are known", () => {
    const blobs = contents.blobs.map(({ pieces: _, ...blob }) => blob);
    for (const one of [contents, { ...contents, blobs }, { ...contents, order: ["ä"] }, { ...contents, blobs: [] }])
      expect(sumsBytes(one)).toBe(
        Buffer.byteLength(formatSums({ ...one, blobs: one.blobs.length === 0 ? [] : contents.blobs })),
      );
    for (const [from, size] of [
      [0, 0],
      [0, 1],
      [5, PIECE - 5],
      [5, PIECE],
      [PIECE, 3 * PIECE],
    ] as const) {
      const pieces = Array.from({ length: pieceCount(from, from + size, PIECE) }, () => hex("piece"));
      const blob = { digest: big, size, part: { number: 1, from } };
      const known = formatSums({ ...contents, blobs: [{ ...blob, pieces }] });
      expect([from, size, sumsBytes({ ...contents, blobs: [blob] })]).toEqual([from, size, Buffer.byteLength(known)]);
    }
  });

  test("sumsBytes() of a size that a manifest only states makes nothing for each piece", () => {
    const blobs = [{ digest: big, size: Number.MAX_SAFE_INTEGER }];
    expect(sumsBytes({ ...contents, blobs })).toBeGreaterThan(Number.MAX_SAFE_INTEGER / PIECE);
  });

  test("parseSums() notices every damaged byte, and never takes a wrong copy for a right one", () => {
    const copies = parseSums(Buffer.from(text))?.files.map(({ copy }) => copy);
    for (let at = 0; at < Buffer.byteLength(text); at += 1) {
      const damaged = Buffer.from(text);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const sums = parseSums(damaged);
      expect(sums?.isIntact ?? false).toBe(false);
      for (const { copy } of sums?.files ?? []) expect(copies).toContainEqual(copy);
      // One line, or two if what ends a line is lost.
      if (sums !== undefined) expect(sums.files.length + sums.blobs.length).toBeGreaterThanOrEqual(3);
    }
  });

  test("parseSums() reads nothing from other files, newer sums or sums without an end", () => {
    expect(parseSums(Buffer.from("{}"))).toBeUndefined();
    expect(parseSums(Buffer.alloc(4096))).toBeUndefined();
    expect(parseSums(Buffer.from(text.replace('"version":1', '"version":2')))).toBeUndefined();
    expect(parseSums(Buffer.from(text.slice(0, -100)))).toMatchObject({ isIntact: false });
  });
});
