import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { registryUrl } from "../../../src/registry/connect-registry.ts";

describe("registryUrl()", () => {
  test.each([
    ["registry.lan:5000", {}, "https://registry.lan:5000/"],
    ["registry.lan", { plainHttp: true }, "http://registry.lan/"],
    ["docker.io", {}, "https://registry-1.docker.io/"],
    ["localhost:5000", {}, "http://localhost:5000/"],
    ["127.0.0.1:5000", {}, "http://127.0.0.1:5000/"],
    ["[::1]:5000", {}, "http://[::1]:5000/"],
    ["127.0.0.1:5000", { plainHttp: false }, "https://127.0.0.1:5000/"],
    ["127.0.0.1:5000", { insecure: true }, "https://127.0.0.1:5000/"],
    ["127.0.0.1:5000", { ca: "PEM" }, "https://127.0.0.1:5000/"],
    ["10.0.0.1:5000", {}, "https://10.0.0.1:5000/"],
  ])("registryUrl() turns %s with %j into %s", (registry, options, url) => {
    expect(registryUrl(registry, options).href).toBe(url);
  });

  test.each([
    ["http://registry.lan", /found a URL/],
    ["registry.lan/team", /found a bad registry host/],
    ["registry.lan:70000", /found a bad port/],
    ["user@registry.lan", /found a bad registry host/],
    ["a b", /found a bad registry host/],
    ["", /found a registry host of 0 characters/],
    ["0x7f.1", /found a bad/],
  ])("registryUrl() refuses %j", (registry, message) => {
    expect(() => registryUrl(registry, {})).toThrow(UsageError);
    expect(() => registryUrl(registry, {})).toThrow(message);
  });
});
