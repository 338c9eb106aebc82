import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  crossOriginHeaders,
  followRedirect,
  resolveUploadLocation,
  withDigest,
} from "../../../../src/registry/origin/redirect-policy.ts";

const FROM = new URL("https://registry.lan/v2/app/blobs/sha256:00");
const DIGEST = `sha256:${"ab".repeat(32)}` as const;

describe("followRedirect()", () => {
  test("followRedirect() tells another origin from its own", () => {
    expect(followRedirect(FROM, "/other", 1, new Set())).toMatchObject({ sameOrigin: true });
    const away = followRedirect(FROM, "https://storage.lan/k?sig=a%2Fb", 1, new Set());
    expect(away.sameOrigin).toBe(false);
    expect(away.url.href).toBe("https://storage.lan/k?sig=a%2Fb");
  });

  test("followRedirect() refuses the sixth hop", () => {
    const seen = new Set<string>();
    for (let hop = 1; hop <= 5; hop += 1) followRedirect(FROM, `/hop-${hop}`, hop, seen);
    expect(() => followRedirect(FROM, "/hop-6", 6, seen)).toThrow("redirect 6, expected at most 5");
  });

  test("followRedirect() lets private storage beside a private registry pass", () => {
    const storage = "http://10.0.0.7:9000/bucket/k";
    expect(followRedirect(new URL("http://10.0.0.2:5000/v2/"), storage, 1, new Set()).url.href).toBe(storage);
    expect(
      followRedirect(new URL("http://registry.lan/v2/"), storage, 1, new Set(), { fromIsPrivate: true }).url.href,
    ).toBe(storage);
  });
});

describe("crossOriginHeaders()", () => {
  test("crossOriginHeaders() keeps only what a foreign server may see", () => {
    const headers = {
      Accept: "a",
      range: "bytes=0-",
      "If-Range": "e",
      "user-agent": "imgpack",
      authorization: "Basic x",
      "content-type": "t",
    };
    expect(crossOriginHeaders(headers)).toEqual({
      Accept: "a",
      range: "bytes=0-",
      "If-Range": "e",
      "user-agent": "imgpack",
    });
  });
});

describe("resolveUploadLocation()", () => {
  const request = new URL("https://registry.lan:8443/v2/app/blobs/uploads/");

  test("resolveUploadLocation() takes relative locations as the registry's own", () => {
    const { url, sameOrigin, adjusted } = resolveUploadLocation(request, "/v2/app/blobs/uploads/1?_state=a%2fB==&x");
    expect({ href: url.href, sameOrigin, adjusted }).toEqual({
      href: "https://registry.lan:8443/v2/app/blobs/uploads/1?_state=a%2fB==&x",
      sameOrigin: true,
      adjusted: false,
    });
  });

  test.each([
    "http://registry.lan/up?_state=x%2F",
    "https://registry.lan:5000/up?_state=x%2F",
    "http://REGISTRY.lan:8443/up?_state=x%2F",
  ])("resolveUploadLocation() keeps our scheme and port for %s", location => {
    const { url, sameOrigin, adjusted } = resolveUploadLocation(request, location);
    expect(url.href).toBe("https://registry.lan:8443/up?_state=x%2F");
    expect([sameOrigin, adjusted]).toEqual([true, true]);
  });

  test("resolveUploadLocation() goes to another host without credentials", () => {
    expect(resolveUploadLocation(request, "https://uploads.lan/1")).toMatchObject({
      sameOrigin: false,
      adjusted: false,
    });
  });
});

describe("withDigest()", () => {
  test.each([
    ["https://r.lan/up", "https://r.lan/up?digest="],
    ["https://r.lan/up?", "https://r.lan/up?digest="],
    ["https://r.lan/up?_state=a%2Fb%2f+c==", "https://r.lan/up?_state=a%2Fb%2f+c==&digest="],
    ["https://r.lan/up?a&", "https://r.lan/up?a&digest="],
    ["https://r.lan/up?a#part", "https://r.lan/up?a&digest="],
  ])("withDigest() appends to %s", (from, before) => {
    expect(withDigest(from, DIGEST).href).toBe(`${before}${encodeURIComponent(DIGEST)}`);
    expect(withDigest(new URL(from), DIGEST).searchParams.get("digest")).toBe(DIGEST);
  });

  test("withDigest() leaves every legal query byte for byte", () => {
    const unit = fc.constantFrom(..."abcXYZ019-._~!$&()*+,;=:@/?", "%2F", "%2f", "%20", "%");
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1 }), units => {
        const query = `s${units.join("")}x`;
        expect(withDigest(`https://r.lan/up?${query}`, DIGEST).search).toBe(
          `?${query}&digest=${encodeURIComponent(DIGEST)}`,
        );
      }),
    );
  });
});
