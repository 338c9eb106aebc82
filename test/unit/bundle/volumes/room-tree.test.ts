import fc from "fast-check";
import { expect, test } from "vitest";
import { RoomTree } from "../../../../src/bundle/volumes/room-tree.ts";

test("the first volume with enough room, and the first of the roomiest, are those that a look at all finds", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.tuple(fc.nat(19), fc.integer({ min: -1, max: 9 }))),
      fc.nat(10),
      fc.nat(21),
      (count, changes, wanted, from) => {
        const rooms = Array.from({ length: count }, () => 5);
        const tree = new RoomTree(count, 5);
        for (const [at, room] of changes) {
          if (at >= count) continue;
          rooms[at] = room;
          tree.set(at, room);
        }
        expect(tree.firstWith(wanted, from)).toBe(rooms.findIndex((room, at) => at >= from && room >= wanted));
        expect(tree.roomiest()).toBe(rooms.indexOf(Math.max(...rooms)));
        for (const [at, room] of rooms.entries()) expect(tree.roomOf(at)).toBe(room);
      },
    ),
  );
});
