import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/errors.ts";
import { crossOriginHeaders, followRedirect } from "../../src/registry/origin/redirect-policy.ts";

const FROM = new URL("https://registry.example/v2/app/blobs/x");

describe("A-04 redirects compare scheme, host and port (GHSA-vh4v-2xq2-g5cg, CVE-2026-48022, CVE-2026-41506)", () => {
  test.each([
    ["another port", "https://registry.example:8443/x"],
    ["another host", "https://other.example/x"],
    ["a subdomain", "https://cdn.registry.example/x"],
    ["a parent domain", "https://example/x"],
    ["a trailing dot", "https://registry.example./x"],
    ["a scheme-relative host", "//evil.example/x"],
  ])("A-04 drops credentials on %s", (_what, location) => {
    expect(followRedirect(FROM, location, 1, new Set()).sameOrigin).toBe(false);
  });

  test.each([
    ["an explicit default port", "https://registry.example:443/x"],
    ["upper case", "HTTPS://REGISTRY.EXAMPLE/x"],
    ["a path", "/x"],
  ])("A-04 keeps the origin on %s", (_what, location) => {
    expect(followRedirect(FROM, location, 1, new Set()).sameOrigin).toBe(true);
  });

  test("A-04 drops credentials from http to https", () => {
    const from = new URL("http://registry.example/x");
    expect(followRedirect(from, "https://registry.example/x", 1, new Set()).sameOrigin).toBe(false);
  });

  test.each([
    ["https to http", "http://registry.example/x"],
    ["a private address", "https://10.0.0.1/x"],
    ["loopback", "https://127.0.0.1/x"],
    ["localhost", "https://localhost:9000/x"],
    ["cloud metadata", "https://169.254.169.254/x"],
    ["IPv4-mapped metadata", "https://[::ffff:169.254.169.254]/x"],
    ["an IPv4 address in disguise", "https://2130706433/x"],
    ["user information", "https://registry.example@evil.example/x"],
    ["its own request", "/v2/app/blobs/x"],
  ])("A-04 refuses %s", (_what, location) => {
    expect(() => followRedirect(FROM, location, 1, new Set())).toThrow(RegistryError);
  });

  test("A-04 refuses metadata also for a private registry", () => {
    const from = new URL("http://10.0.0.1:5000/x");
    expect(() => followRedirect(from, "http://169.254.169.254/x", 1, new Set(), { fromIsPrivate: true })).toThrow(
      "reserved",
    );
  });

  test("A-04 refuses a loop of two", () => {
    const seen = new Set<string>();
    const { url } = followRedirect(FROM, "https://b.example/x", 1, seen);
    expect(() => followRedirect(url, FROM.href, 2, seen)).toThrow("redirect loop");
  });
});

describe("A-12 headers across origins come from an allow-list (CVE-2026-40895, CVE-2026-111756, CVE-2022-31151)", () => {
  test.each([
    "authorization",
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "X-Registry-Auth",
    "x-api-key",
    "Host",
    "Referer",
  ])("A-12 drops %s", name => {
    expect(crossOriginHeaders({ [name]: "canary", accept: "*/*" })).toEqual({ accept: "*/*" });
  });
});
