import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseByteRange } from "../../../src/serve/conditions/byte-range.ts";
import { Refusal } from "../../../src/serve/refusal.ts";
import { matchRoute } from "../../../src/serve/routes.ts";
import { digestOf } from "./registry-client.ts";

const digest = digestOf("x");

function refusal(url: string): [number, string] {
  try {
    matchRoute(url);
  } catch (error) {
    if (error instanceof Refusal) return [error.status, error.code];
  }
  throw new Error(`${url} was not refused`);
}

describe("matchRoute()", () => {
  test.each([
    ["/v2", { kind: "ping" }],
    ["/v2/", { kind: "ping" }],
    ["/v2/_catalog?n=5", { kind: "catalog" }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
    [`/v2/a/b/referrers/${digest}`, { kind: "referrers", repository: "a/b", digest }],
    [`/v2/a/blobs/${digest.replace(":", "%3A")}`, { kind: "blob", repository: "a", digest }],
    ["/v2/a/manifests/v1.0_x", { kind: "manifest", repository: "a", reference: { kind: "tag", tag: "v1.0_x" } }],
    [
      `/v2/a/manifests/${digest}?ns=docker.io`,
      { kind: "manifest", repository: "a", reference: { kind: "digest", digest } },
    ],
    ["/v2/a/blobs/uploads/", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads/id-1", { kind: "upload", repository: "a", id: "id-1" }],
    ["/v2/tags/list/tags/list", { kind: "tags", repository: "tags/list" }],
    ["/v2/blobs/uploads/manifests/tags/list", { kind: "tags", repository: "blobs/uploads/manifests" }],
    [`/v2/a/blobs/uploads/blobs/${digest}`, { kind: "blob", repository: "a/blobs/uploads", digest }],
    [
      "/v2/manifests/manifests/blobs",
      { kind: "manifest", repository: "manifests", reference: { kind: "tag", tag: "blobs" } },
    ],
  ])("finds what %s names", (url, route) => {
    expect(matchRoute(url).route).toEqual(route);
  });

  test.each([
    "/v2/../etc/tags/list",
    "/v2/a/../b/tags/list",
    "/v2/a/./tags/list",
    "/v2/a/%2e%2e/tags/list",
    "/v2/a%2Fb/tags/list",
    "/v2/a/%252e%252e/tags/list",
    "/v2/a%00/tags/list",
    "/v2/a%5cb/tags/list",
    "/v2//tags/list",
    "/v2/a//b/tags/list",
    "/v2/a/%zz/tags/list",
    "/v2/%C3%A9/tags/list",
    "/v2/a\\b/tags/list",
    "/v2/A/tags/list",
    "/v2/a_/tags/list",
    "/v2/_manifests/tags/list",
    `/v2/${"a".repeat(256)}/tags/list`,
    "/v2/a/manifests/-tag",
    `/v2/a/manifests/${"t".repeat(129)}`,
    "http://evil.example/v2/a/tags/list",
    "*",
  ])("S-03 refuses %s with NAME_INVALID", url => {
    expect(refusal(url)).toEqual([400, "NAME_INVALID"]);
  });

  test.each([
    "/v2/a/blobs/sha256:abc",
    `/v2/a/blobs/${digest.toUpperCase()}`,
    "/v2/a/manifests/md5:0",
    "/v2/a/referrers/latest",
    "/v2/a/blobs/..sha256",
  ])("refuses the digest of %s with DIGEST_INVALID", url => {
    expect(refusal(url)).toEqual([400, "DIGEST_INVALID"]);
  });

  test("does not know other paths", () => {
    for (const path of ["/", "/v1/_ping", "/v2/a", "/v2/a/b/c", "/v3/a/tags/list", "/v2/tags/list"]) {
      expect(refusal(path)).toEqual([404, "UNSUPPORTED"]);
    }
  });

  test("S-03 answers any text with a route or a Refusal, and no route holds more than the grammar allows", () => {
    const part = fc.constantFrom(
      "v2",
      "a",
      "blobs",
      "uploads",
      "manifests",
      "tags",
      "list",
      "..",
      "%2e",
      "",
      "A",
      digest,
    );
    const path = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(part, { maxLength: 8 }).map(parts => `/v2/${parts.join("/")}`),
    );
    fc.assert(
      fc.property(path, url => {
        try {
          const { route } = matchRoute(url);
          if ("repository" in route) expect(route.repository).toMatch(/^[a-z0-9][a-z0-9._/-]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
  });

  test("S-03 refuses 64 KiB of path or query before looking at it", () => {
    expect(refusal(`/v2/${"a/".repeat(32_768)}tags/list`)[0]).toBe(414);
    expect(refusal(`/v2/?${"a".repeat(65_536)}`)[0]).toBe(414);
  });
});

test("S-05 parseByteRange() never leaves the blob", () => {
  const bound = fc.oneof(
    fc.constant(""),
    fc.nat().map(String),
    fc.bigInt({ min: 0n, max: 10n ** 16n - 1n }).map(String),
  );
  fc.assert(
    fc.property(bound, bound, fc.nat(1000), (first, last, size) => {
      const range = parseByteRange(`bytes=${first}-${last}`, size);
      if (typeof range === "string") return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.end).toBeGreaterThan(range.start);
      expect(range.end).toBeLessThanOrEqual(size);
    }),
  );
});
