import { describe, expect, test } from "vitest";
import { redact } from "../../../src/util/redact.ts";

describe("redact() (A-16)", () => {
  test.each([
    ["user information in a URL", "at https://ci:hunter2@registry.lan/v2/", "at https://[redacted]@registry.lan/v2/"],
    [
      "a signed query",
      "https://s3.lan/b?X-Amz-Signature=hunter2&part=1",
      "https://s3.lan/b?X-Amz-Signature=[redacted]&part=1",
    ],
    ["a token in a query", "GET /token?service=a&token=hunter2", "GET /token?service=a&token=[redacted]"],
    ["upload state (A-17)", "/uploads/1?_state=hunter2", "/uploads/1?_state=[redacted]"],
    ["a bearer token", "Authorization: Bearer hunter2hunter2", "Authorization: Bearer [redacted]"],
    ["basic credentials", "Authorization: Basic aHVudGVyMg==", "Authorization: Basic [redacted]"],
  ])("removes %s", (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test("leaves references, digests and plain URLs alone", () => {
    const text = `https://registry.lan:5000/v2/a@sha256:${"0".repeat(64)}?n=100 Basic realm`;
    expect(redact(text)).toBe(text);
  });
});
