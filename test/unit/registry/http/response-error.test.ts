import { describe, expect, test } from "vitest";
import { AuthError, NotFoundError, RegistryError } from "../../../../src/errors.ts";
import { type ResponseContext, responseError, retryAfterMs } from "../../../../src/registry/http/response-error.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function context(
  changes: Partial<Omit<ResponseContext, "body">> & { body?: string | Uint8Array } = {},
): ResponseContext {
  const { body = "", ...rest } = changes;
  return {
    verb: "push",
    what: "manifest 1.4",
    where: "registry.lan:5000/team/app",
    expected: "201",
    status: 400,
    headers: {},
    now: NOW,
    ...rest,
    body: typeof body === "string" ? Buffer.from(body) : body,
  };
}

function errorsBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message, detail: { secret: "not shown" } }] });
}

describe("responseError()", () => {
  test.each<[string, Parameters<typeof context>[0], string]>([
    ["a full registry", { status: 507 }, "no space left"],
    ["a web page", { status: 404, verb: "read", body: "<html>" }, "check host and port"],
    ["Go's TLS port", { body: "Client sent an HTTP request to an HTTPS server.\n" }, "--ca-file or --insecure"],
    [
      "nginx's TLS port",
      { body: "<html><title>400 The plain HTTP request was sent to HTTPS port</title>" },
      "--ca-file or --insecure",
    ],
    ["a password just typed", { status: 401, verb: "log in", credentialsFrom: "--username" }, "that you gave"],
  ])("responseError() says what to do about %s", (_what, changes, hint) => {
    expect(responseError(context(changes)).hint).toContain(hint);
  });

  test("responseError() makes 401 an AuthError that names user and source", () => {
    const error = responseError(context({ status: 401, user: "ci", credentialsFrom: "/home/ci/.docker/config.json" }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toBe(
      'Cannot push manifest 1.4 to registry.lan:5000/team/app: status 401 for user "ci", expected 201',
    );
    expect(error.hint).toContain("/home/ci/.docker/config.json");
    expect(error.hint).toContain("--password-stdin");
    expect(error.transient).toBe(false);
  });

  test("responseError() says on 401 that no credentials were found", () => {
    expect(responseError(context({ status: 401 })).hint).toMatch(
      /^No credentials were found for registry\.lan:5000: .*imgpack login registry\.lan:5000/,
    );
  });

  test("responseError() makes 403 an AuthError with the registry's reason", () => {
    const body = errorsBody("DENIED", "requested access to the resource is denied");
    const error = responseError(context({ status: 403, body, credentialsFrom: "--username" }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toContain('status 403 DENIED "requested access to the resource is denied", expected 201');
  });

  test("responseError() makes 404 on a read a NotFoundError", () => {
    const error = responseError(
      context({ verb: "pull", expected: "200", status: 404, body: errorsBody("MANIFEST_UNKNOWN", "no") }),
    );
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toBe(
      'Cannot pull manifest 1.4 from registry.lan:5000/team/app: status 404 MANIFEST_UNKNOWN "no", expected 200',
    );
  });

  test("responseError() tells a missing repository from a lost upload session", () => {
    const missing = responseError(context({ status: 404, body: errorsBody("NAME_UNKNOWN", "x") }));
    expect(missing).toBeInstanceOf(NotFoundError);
    expect(missing.hint).toContain("create it first");
    const lost = responseError(context({ status: 404, body: errorsBody("BLOB_UPLOAD_UNKNOWN", "x") }));
    expect(lost).toBeInstanceOf(RegistryError);
    expect(lost).toMatchObject({ status: 404, codes: ["BLOB_UPLOAD_UNKNOWN"], transient: false });
  });

  test.each([408, 425, 429, 499, 500, 502, 503, 504, 522])("responseError() makes status %i transient", status => {
    expect(responseError(context({ status }))).toMatchObject({ code: "ERR_REGISTRY", status, transient: true });
  });

  test.each([400, 405, 409, 413, 416, 501, 505])("responseError() makes status %i final", status => {
    expect(responseError(context({ status, headers: { "retry-after": "3" } }))).toMatchObject({
      status,
      transient: false,
    });
  });

  test("responseError() carries Retry-After of a transient answer", () => {
    expect(responseError(context({ status: 429, headers: { "retry-after": "7" } }))).toMatchObject({
      retryAfterMs: 7000,
    });
    expect(responseError(context({ status: 429 }))).not.toHaveProperty("retryAfterMs");
  });

  test.each([
    [
      "an HTML page by type",
      { "content-type": "text/html; charset=utf-8" },
      "oops secret",
      "status 502 with an HTML page",
    ],
    ["an HTML page by content", {}, "\n<!DOCTYPE html><html>secret", "status 502 with an HTML page"],
    [
      "plain text",
      { "content-type": "text/plain" },
      "toomanyrequests: slow \u001b[31mdown",
      'status 502 "toomanyrequests: slow \\u{1b}[31mdown"',
    ],
    ["broken JSON", { "content-type": "application/json" }, '{"errors":[', 'status 502 "{\\"errors\\":["'],
    ["one error without list", {}, '{"code":"DENIED","details":"no"}', 'status 502 DENIED "no"'],
    ["an OAuth error", {}, '{"error":"invalid_grant","error_description":"expired"}', 'status 502 "expired"'],
    ["a foreign code", {}, errorsBody("\u001b[2J", "m"), 'status 502 "m"'],
    ["binary", { "content-type": "application/octet-stream" }, Uint8Array.of(1, 2, 3), "status 502"],
    ["nothing", {}, "", "status 502"],
  ])("responseError() sums up a body that is %s", (_what, headers, body, state) => {
    const error = responseError(context({ status: 502, headers, body }));
    expect(error.message).toBe(`Cannot push manifest 1.4 to registry.lan:5000/team/app: ${state}, expected 201`);
  });

  test("responseError() stays short whatever the body says", () => {
    expect(responseError(context({ body: "x".repeat(1_000_000) })).message.length).toBeLessThan(500);
    expect(responseError(context({ body: errorsBody("UNKNOWN", "y".repeat(60_000)) })).message.length).toBeLessThan(
      500,
    );
  });
});

describe("retryAfterMs()", () => {
  test.each([
    ["0", 0],
    ["120", 120_000],
    ["9999999999", 300_000],
    ["Fri, 02 Jan 2026 03:04:35 GMT", 30_000],
    ["Fri, 02 Jan 2026 05:04:35 GMT", 300_000],
    ["Thu, 01 Jan 2026 00:00:00 GMT", 0],
    ["2027", 300_000],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["soon", undefined],
    ["2026-01-02T03:04:35Z", undefined],
  ])("retryAfterMs() reads %s as %s", (value, expected) => {
    expect(retryAfterMs({ "retry-after": value }, NOW)).toBe(expected);
  });

  test("retryAfterMs() ignores an absent or contradictory header", () => {
    expect(retryAfterMs({}, NOW)).toBeUndefined();
    expect(retryAfterMs({ "retry-after": ["1", "2"] }, NOW)).toBeUndefined();
  });
});
