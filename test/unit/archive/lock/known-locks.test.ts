import { expect, test } from "vitest";
import { KnownLocks } from "../../../../src/archive/lock/known-locks.ts";
import { formatLock } from "../../../../src/bundle/lock/format-lock.ts";
import type { LockContents } from "../../../../src/bundle/lock/lock.ts";
import type { Digest } from "../../../../src/oci/digest.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const contents: LockContents = {
  platforms: ["all"],
  sparse: "keep",
  referrers: false,
  images: [],
  left: [],
  blobs: [{ digest: digest("a"), size: 1, kind: "layer", repositories: [] }],
};

function textOf(number: number, blobs = contents.blobs): Buffer {
  return Buffer.from(formatLock({ ...contents, blobs, set: { id: digest("f"), number, of: 3, where: [2] } }));
}

test("locks of one set are read once, each with its own number", () => {
  const locks = new KnownLocks();
  const first = locks.parse(textOf(1), "first");
  const second = locks.parse(textOf(2), "second");
  expect([first.set?.number, second.set?.number]).toEqual([1, 2]);
  expect(second.blobs).toBe(first.blobs);
  expect(locks.parse(textOf(3), "third")).toEqual({ ...first, set: { ...first.set, number: 3 } });
});

test("a lock that differs in anything else is read on its own, and a number beyond the set is refused", () => {
  const locks = new KnownLocks();
  const first = locks.parse(textOf(1), "first");
  const other = locks.parse(textOf(2, [{ digest: digest("b"), size: 1, kind: "layer", repositories: [] }]), "other");
  expect(other.id).not.toBe(first.id);
  const beyond = Buffer.from(textOf(1).toString().replace('"number":1,', '"number":4,'));
  expect(() => locks.parse(beyond, "beyond")).toThrow("it is of volume 4 of 3, expected a number up to 3");
  const edited = Buffer.from(textOf(2).toString().replace('"sparse":"keep"', '"sparse":"fail"'));
  expect(() => locks.parse(edited, "edited")).toThrow(/edited|id/);
});
