import { expect, test } from "vitest";

const MIB = 1024 * 1024;

test("expect() compares bytes whole, within objects, and not with those of another kind", () => {
  const bytes = Buffer.alloc(MIB, "bytes");
  const other = Buffer.from(bytes);
  expect({ name: "one", bytes }).toEqual({ name: "one", bytes: other });
  other[MIB - 1] = 0;
  expect(bytes).not.toEqual(other);
  expect({ bytes }).not.toStrictEqual({ bytes: other });
  expect(bytes).not.toEqual(bytes.subarray(1));
  expect(Buffer.from("a")).not.toStrictEqual(new Uint8Array([97]));
});
