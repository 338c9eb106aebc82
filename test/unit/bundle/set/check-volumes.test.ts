import fc from "fast-check";
import { expect, test } from "vitest";
import { checkVolumes, type Volume, volumeNotes, volumesText } from "../../../../src/bundle/set/check-volumes.ts";
import type { Digest } from "../../../../src/oci/digest.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

function volume(what: string, bundle: string, number: number, of: number, set = "1"): Volume {
  return { what, bundle: digest(bundle), set: { id: digest(set), number, of, where: [] } };
}

const volumes = fc.array(
  fc
    .record({
      bundle: fc.constantFrom("a", "b"),
      set: fc.constantFrom("1", "2"),
      number: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ bundle, set, number }) => volume("file", bundle, number, 4, set)),
  { maxLength: 10 },
);

test("each volume is in one list of the set of its bundle, in any order, and the missing numbers are the others", () => {
  fc.assert(
    fc.property(volumes, given => {
      const sets = checkVolumes(given);
      expect(sets.map(({ bundle }) => bundle).sort()).toEqual([...new Set(given.map(({ bundle }) => bundle))].sort());
      for (const { bundle, of, present, missing, doubled, stale, foreign } of sets) {
        const own = given.filter(one => one.bundle === bundle);
        expect([...present.values(), ...doubled, ...stale]).toHaveLength(own.length);
        expect(foreign).toHaveLength(given.length - own.length);
        expect([...present.keys(), ...missing].sort()).toEqual([1, 2, 3, 4]);
        expect(of).toBe(4);
        expect(new Set([...present.values()].map(({ set }) => set.id)).size).toBe(1);
        const largest = Math.max(
          ...["1", "2"].map(
            id => new Set(own.filter(({ set }) => set.id === digest(id)).map(({ set }) => set.number)).size,
          ),
        );
        expect(present.size).toBe(largest);
      }
      const reversed = checkVolumes(given.toReversed()).map(({ bundle, present }) => [bundle, present.size]);
      expect(new Map(reversed as [Digest, number][])).toEqual(
        new Map(sets.map(({ bundle, present }) => [bundle, present.size])),
      );
    }),
    { numRuns: 100 },
  );
});

test("doubled, stale and foreign volumes are named by bundle and number; two whole sets are no fault", () => {
  const [first] = checkVolumes([
    volume('archive "1"', "a", 1, 3),
    volume('archive "2"', "a", 2, 3),
    volume('archive "again"', "a", 1, 3),
    volume('archive "old"', "a", 1, 2, "2"),
    volume('archive "other"', "b", 3, 3),
  ]);
  expect(first && volumeNotes(first)).toEqual([
    'Volume 1 of bundle aaaaaaaaaaaa is there again as archive "again"',
    'Archive "old" is volume 1 of 2 of bundle aaaaaaaaaaaa as it was split in another way',
    'Archive "other" is volume 3 of 3 of another bundle, bbbbbbbbbbbb',
  ]);
  const whole = checkVolumes([volume("x", "a", 1, 1), volume("y", "b", 1, 1)]);
  expect(whole.flatMap(volumeNotes)).toEqual([]);
  expect(volumesText([2, 5, 7], { of: 12 })).toBe("volumes 2, 5 and 7 of 12");
});
