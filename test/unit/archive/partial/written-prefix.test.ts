import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WrittenPrefix } from "../../../../src/archive/partial/written-prefix.ts";

describe("WrittenPrefix", () => {
  test("grows over chunks that came before the ones in front of them", () => {
    const prefix = new WrittenPrefix();
    expect([prefix.add(20, 10), prefix.add(10, 10), prefix.bytes]).toEqual([false, false, 0]);
    expect([prefix.add(0, 10), prefix.bytes]).toEqual([true, 30]);
  });

  test("begins where an earlier run stopped", () => {
    const prefix = new WrittenPrefix(15);
    expect([prefix.add(10, 10), prefix.bytes]).toEqual([true, 20]);
    expect([prefix.add(0, 20), prefix.bytes]).toEqual([false, 20]);
  });

  test("counts exactly the bytes in front of the first hole, whatever the order of chunks", () => {
    const some = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      keys: fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
      left: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(some, ({ sizes, keys, left }) => {
        let end = 0;
        const chunks = sizes.map((length, index) => {
          const position = end;
          end += length;
          return { position, length, key: keys[index] ?? 0, index };
        });
        const came = chunks.toSorted((one, two) => one.key - two.key || one.index - two.index).slice(left);
        const prefix = new WrittenPrefix();
        const there = new Set<number>();
        for (const { position, length } of came) {
          const before = prefix.bytes;
          there.add(position);
          const hole = chunks.find(chunk => !there.has(chunk.position));
          expect(prefix.add(position, length)).toBe(prefix.bytes > before);
          expect(prefix.bytes).toBe(hole?.position ?? end);
        }
      }),
    );
  });
});
