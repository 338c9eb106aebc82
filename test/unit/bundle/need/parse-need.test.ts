import { expect, test } from "vitest";
import { formatNeed } from "../../../../src/bundle/need/format-need.ts";
import type { Need, NeededBlob } from "../../../../src/bundle/need/need.ts";
import { isNeed, PIECE_BYTES, parseNeed } from "../../../../src/bundle/need/parse-need.ts";
import type { Digest } from "../../../../src/oci/digest.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const size = 2 * PIECE_BYTES + 100;
const blob: NeededBlob = { digest: digest("a"), size, kind: "layer", repositories: ["r.lan:5000/app"] };
const need = (blobs: readonly NeededBlob[]): Need => ({
  of: digest("f"),
  volumes: [2],
  images: ["r.lan:5000/app:1"],
  blobs,
});
const parsed = (text: string): Need => parseNeed(Buffer.from(text), { where: "test" });

test("a need list is read as it was written, sorted", () => {
  const ranges = [
    [0, PIECE_BYTES],
    [2 * PIECE_BYTES, size],
  ] as const;
  const other: NeededBlob = { ...blob, digest: digest("b"), kind: "manifest", ranges };
  const text = formatNeed({ ...need([other, blob]), volumes: [3, 1, 3], images: ["b:1", "a:1", "b:1"] });
  expect(parsed(text)).toEqual({ ...need([blob, other]), volumes: [1, 3], images: ["a:1", "b:1"] });
  expect(isNeed(Buffer.from(text))).toBe(true);
  expect(text).toMatchInlineSnapshot(`
    "{"format":"imgpack-need","version":1,"of":"sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "volumes":[1,3],
    "images":[
    "a:1",
    "b:1"],
    "blobs":[
    ["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",8388708,"layer",["r.lan:5000/app"]],
    ["sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",8388708,"manifest",["r.lan:5000/app"],[[0,4194304],[8388608,8388708]]]]}
    "
  `);
});

test.each([
  ["outside of the blob", [[0, size + 1]]],
  ["not on a border", [[1, PIECE_BYTES]]],
  ["an end inside a piece", [[0, 100]]],
  ["empty", [[0, 0]]],
  ["none", []],
  [
    "touching ranges",
    [
      [0, PIECE_BYTES],
      [PIECE_BYTES, size],
    ],
  ],
  [
    "out of order",
    [
      [PIECE_BYTES, 2 * PIECE_BYTES],
      [0, PIECE_BYTES],
    ],
  ],
  ["texts", [["0", "4"]]],
])("ranges of a blob: %s", (_, ranges) => {
  const text = formatNeed(need([blob])).replace('app"]]', `app"],${JSON.stringify(ranges)}]`);
  expect(() => parsed(text)).toThrow("ranges on borders of 4 MiB");
});

test.each([
  ["of a newer version", (text: string) => text.replace('"version":1', '"version":2'), "found version 2, expected 1"],
  ["with a blob twice", () => formatNeed(need([blob, blob])), "twice, expected it once"],
  ["with an unknown field", (text: string) => text.replace('"volumes"', '"more":1,"volumes"'), "more"],
  ["of a volume 0", (text: string) => text.replace("[2]", "[0]"), "a number from 1"],
])("a need list %s is refused", (_, change, message) => {
  expect(() => parsed(change(formatNeed(need([blob]))))).toThrow(message);
});
