import { expect, test, vi } from "vitest";
import { addressKind } from "../../../../src/registry/origin/address.ts";

const { isIPv6 } = vi.hoisted(() => ({ isIPv6: vi.fn<(text: string) => boolean>() }));
vi.mock("node:net", async importOriginal => {
  const net = await importOriginal<typeof import("node:net")>();
  return { ...net, isIPv6: isIPv6.mockImplementation(net.isIPv6) };
});

test("names and IPv4 addresses are judged without the test for IPv6, which takes up to 25 ms the first time", () => {
  expect(["registry.lan", "localhost", "10.0.0.1", "127.0.0.1", "8.8.8.8"].map(addressKind)).toEqual([
    "name",
    "loopback",
    "private",
    "loopback",
    "public",
  ]);
  expect(isIPv6).not.toHaveBeenCalled();
  expect([addressKind("::1"), addressKind("[fe80::1]")]).toEqual(["loopback", "forbidden"]);
  expect(isIPv6).toHaveBeenCalled();
});
