import { expect, test } from "vitest";
import { plainAddress } from "../../../src/serve/trusted-host.ts";
import { oncePerMinute } from "../../../src/serve/watch/once-per-minute.ts";

test("docker that tries TLS at each pull is reported once a minute for each address", () => {
  let now = 0;
  const seen: string[] = [];
  const report = oncePerMinute(
    () => now,
    (address, found) => seen.push(`${address} ${found}`),
  );
  for (now = 0; now < 120_000; now += 10_000) report("10.0.0.7", "spoke TLS");
  report("10.0.0.8", "spoke TLS");
  expect(seen).toEqual(["10.0.0.7 spoke TLS", "10.0.0.7 spoke TLS", "10.0.0.8 spoke TLS"]);
});

test.each([
  ["::ffff:127.0.0.1", "127.0.0.1"],
  ["::1", "::1"],
  ["::ffff:7f00:1", "::ffff:7f00:1"],
  [undefined, ""],
])("an IPv4 client of an IPv6 port has its IPv4 address: %s", (address, shown) => {
  expect(plainAddress(address)).toBe(shown);
});
