import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/errors.ts";
import { resolveUploadLocation } from "../../src/registry/origin/redirect-policy.ts";

const REQUEST = new URL("https://registry.example/v2/app/blobs/uploads/");

describe("A-05 upload Location elsewhere (CVE-2026-50151, GHSA-jxpm-75mh-9fp7)", () => {
  test.each([
    ["another host", "https://evil.example/up?x=1"],
    ["a scheme-relative host", "//evil.example/up"],
    ["a subdomain", "https://up.registry.example/x"],
    ["a trailing dot", "https://registry.example./x"],
  ])("A-05 goes to %s without credentials", (_what, location) => {
    expect(resolveUploadLocation(REQUEST, location)).toMatchObject({ sameOrigin: false, adjusted: false });
  });

  test.each([
    ["http behind a TLS proxy", "http://registry.example/v2/app/blobs/uploads/1?_state=a%2Fb"],
    ["an inner port", "https://registry.example:5000/v2/app/blobs/uploads/1?_state=a%2Fb"],
  ])("A-05 keeps our scheme and port for %s (distribution#2225)", (_what, location) => {
    const { url, sameOrigin, adjusted } = resolveUploadLocation(REQUEST, location);
    expect(url.href).toBe("https://registry.example/v2/app/blobs/uploads/1?_state=a%2Fb");
    expect([sameOrigin, adjusted]).toEqual([true, true]);
  });

  test.each([
    ["backslashes", "\\\\evil.example\\x"],
    ["user information", "https://registry.example@evil.example/x"],
    ["http on another host", "http://evil.example/x"],
    ["a private address", "https://192.168.1.1/x"],
    ["cloud metadata", "https://169.254.169.254/x"],
    ["a tab in the scheme", "ht\ttps://evil.example/x"],
  ])("A-05 refuses %s", (_what, location) => {
    expect(() => resolveUploadLocation(REQUEST, location)).toThrow(RegistryError);
  });

  test("A-17 an upload session URL does not appear in the message that refuses it", () => {
    expect(() => resolveUploadLocation(REQUEST, "http://evil.example/up?_state=canary&session=canary")).not.toThrow(
      /canary/,
    );
    expect(() => resolveUploadLocation(REQUEST, "http://evil.example/up?_state=canary")).toThrow("unencrypted");
  });
});
