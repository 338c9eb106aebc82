import { describe, expect, test } from "vitest";
import { NetworkError } from "../../../../src/errors.ts";
import { networkError } from "../../../../src/registry/http/network-error.ts";

function coded(code: string, message = "raw text"): Error {
  return Object.assign(new Error(message), { code });
}

describe("networkError()", () => {
  test.each([
    ["ECONNREFUSED", "connection refused", true],
    ["ENOTFOUND", "unknown host name", false],
    ["EAI_AGAIN", "no answer from the name server", true],
    ["ECONNRESET", "connection reset", true],
    ["EPIPE", "connection closed while sending", true],
    ["ETIMEDOUT", "connection timed out", true],
    ["HPE_INVALID_CONSTANT", "malformed HTTP answer", true],
    ["CERT_HAS_EXPIRED", "expired certificate", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "untrusted certificate", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "untrusted certificate", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate for another host name", false],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "plain HTTP answer", false],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "no client certificate was shown", false],
    ["ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED", "no client certificate was shown", false],
    ["SOMETHING_NEW", "connection failure", false],
    ["toString", "connection failure", false],
  ])("networkError() explains %s as %s", (code, found, transient) => {
    const cause = coded(code);
    const error = networkError(cause, "push", "blob sha256:00", "registry.lan");
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.message).toMatch(new RegExp(`^Cannot push blob sha256:00 to registry\\.lan: ${found}, expected `));
    expect(error).toMatchObject({ transient, cause });
  });

  test("networkError() knows a TLS alert that answers plain HTTP", () => {
    const rawPacket = Buffer.from([0x15, 3, 1, 0, 2, 2, 70]);
    const error = networkError(Object.assign(coded("HPE_INVALID_CONSTANT"), { rawPacket }), "pull", "", "r.lan");
    expect(error.message).toBe("Cannot pull from r.lan: TLS answer, expected plain HTTP");
    expect(error).toMatchObject({ transient: false, hint: expect.stringContaining("--insecure") });
  });

  test("networkError() finds the code in causes and aggregates", () => {
    const nested = new Error("fetch failed", { cause: new AggregateError([new Error("x"), coded("ECONNREFUSED")]) });
    expect(networkError(nested, "pull", "", "r.lan").message).toBe(
      "Cannot pull from r.lan: connection refused, expected an answer",
    );
  });

  test("networkError() names the flags that help with certificates and plain HTTP", () => {
    expect(networkError(coded("SELF_SIGNED_CERT_IN_CHAIN"), "pull", "", "r.lan").hint).toMatch(/--ca-file.*--insecure/);
    const plain = coded("EPROTO", "140:error:0A00010B:SSL routines::wrong version number");
    expect(networkError(plain, "pull", "", "r.lan").hint).toContain("--plain-http");
  });

  test("networkError() recognises a 429 whose bare line feeds no parser accepts", () => {
    const cause = Object.assign(coded("HPE_INVALID_HEADER_TOKEN"), {
      data: Buffer.from("retry-after: 60\ncontent-length: 18\n\nToo Many Requests\n"),
    });
    const error = networkError(cause, "pull", "manifest 1", "docker.io/library/a");
    expect(error.message).toContain("status 429 with malformed headers");
    expect(error.transient).toBe(true);
  });

  test("networkError() survives a cause that contains itself, or is no error", () => {
    const loop = new Error("loop");
    loop.cause = loop;
    expect(networkError(loop, "pull", "", "r.lan").transient).toBe(false);
    expect(networkError("text", "pull", "", "r.lan").message).toContain("connection failure");
  });
});
