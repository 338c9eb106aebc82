import { isIP } from "node:net";
import { assert, constantFrom, ipV4, ipV6, oneof, property, string, tuple } from "fast-check";
import { expect, test } from "vitest";
import { ipFamily } from "../../../../src/util/net/ip-family.ts";

test("the family of an address is that of node:net", () => {
  const zoned = tuple(ipV6(), constantFrom("%eth0", "%1", "%", ".1", ":", "/64")).map(
    ([address, tail]) => address + tail,
  );
  const text = oneof(ipV4(), ipV6(), zoned, string({ unit: constantFrom(..."0123456789abf.:%[]") }));
  assert(
    property(text, address => {
      expect(ipFamily(address)).toBe(isIP(address));
    }),
  );
});
