import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FetchToken, TokenHttpRequest } from "../../src/registry/auth/authenticator.ts";
import { Authenticator } from "../../src/registry/auth/authenticator.ts";
import { parseChallenges } from "../../src/registry/auth/challenge.ts";
import { responseError, retryAfterMs } from "../../src/registry/http/response-error.ts";
import { cpuMs } from "../support/cpu-time.ts";

const SCOPE = { repository: "app", actions: "pull" } as const;
const REGISTRY = new URL("https://registry.example/");

function authenticator(registry: URL, identity: string, requests: TokenHttpRequest[]): Authenticator {
  const fetchToken: FetchToken = async request => {
    requests.push(request);
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ token: `token-of-${identity}` })) };
  };
  const credentials = { username: identity, password: "pw", identityToken: `refresh-${identity}`, source: "test" };
  return new Authenticator({ registry, credentials, fetchToken, resolve: async () => [] });
}

describe("A-14 text of a server in requests (CVE-2020-5260, CVE-2024-52006, CVE-2026-1527)", () => {
  test.each(["\r\nx: 1", "\n", "\0", "\u2028", "\u0085"])("A-14 a challenge with %j is dropped", text => {
    expect(parseChallenges([`Bearer realm="https://auth.example/",service="a${text}b"`])).toEqual([]);
    expect(parseChallenges([`Bearer realm="https://auth.example/${text}"`])).toEqual([]);
  });

  test("A-14 percent forms, ampersands and quotes of service and scope stay values of the token request", async () => {
    const requests: TokenHttpRequest[] = [];
    const auth = authenticator(REGISTRY, "", requests);
    const anonymous = new Authenticator({
      registry: REGISTRY,
      credentials: undefined,
      resolve: async () => [],
      fetchToken: async request => {
        requests.push(request);
        return { status: 200, headers: {}, body: Buffer.from('{"token":"t"}') };
      },
    });
    const service = "a%0d%0ab&account=root#x'";
    const challenge = {
      scheme: "bearer",
      realm: "https://auth.example/t",
      service,
      scope: ["repository:a&b=c:pull"],
    } as const;
    await anonymous.answer([challenge], SCOPE, undefined);
    expect([...(requests[0]?.url.searchParams ?? [])]).toEqual([
      ["service", service],
      ["scope", "repository:a&b=c:pull"],
      ["scope", "repository:app:pull"],
    ]);
    await auth.answer([challenge], SCOPE, undefined);
    expect(new URLSearchParams(requests[1]?.body).get("service")).toBe(service);
  });
});

describe("A-09 tokens belong to one registry and one identity (CVE-2026-103868)", () => {
  test("A-09 equal challenges of two registries and two identities give four tokens", async () => {
    const requests: TokenHttpRequest[] = [];
    const challenge = { scheme: "bearer", realm: "https://auth.example/t", service: "s" } as const;
    for (const registry of ["https://a.example/", "https://b.example/"]) {
      for (const identity of ["x", "y"]) {
        const auth = authenticator(new URL(registry), identity, requests);
        await auth.answer([challenge], SCOPE, undefined);
        await expect(auth.authorization(SCOPE)).resolves.toBe(`Bearer token-of-${identity}`);
      }
    }
    expect(requests).toHaveLength(4);
  });
});

describe("A-23 the identity token stays with the realm that it was first sent to (GHSA-28r5-37g7-p6mp)", () => {
  test.each([
    ["another host", { realm: "https://evil.example/t", service: "s" }],
    ["another port", { realm: "https://auth.example:8443/t", service: "s" }],
    ["another service", { realm: "https://auth.example/t", service: "other" }],
  ])("A-23 a realm that moves to %s gets nothing", async (_what, moved) => {
    const requests: TokenHttpRequest[] = [];
    const auth = authenticator(REGISTRY, "ci", requests);
    await auth.answer([{ scheme: "bearer", realm: "https://auth.example/t", service: "s" }], SCOPE, undefined);
    const other = { ...SCOPE, repository: "other" };
    await expect(auth.answer([{ scheme: "bearer", ...moved }], other, undefined)).rejects.toThrow("token server moved");
    expect(requests).toHaveLength(1);
  });
});

describe("A-20 text of a server in messages (CVE-2024-50349)", () => {
  test("A-20 an error body cannot write to the terminal", () => {
    const body = Buffer.from(JSON.stringify({ errors: [{ code: "DENIED", message: "\u001b[2J\u202e\u2066\r\nok" }] }));
    const context = { verb: "push", what: "", where: "r.example/app", expected: "201", status: 403, headers: {}, body };
    const { message, hint } = responseError(context);
    expect(`${message}${hint}`).toMatch(/^[\x20-\x7e]*$/);
    expect(message).toContain("\\u{1b}[2J\\u{202e}\\u{2066}\\u{d}\\u{a}ok");
  });
});

describe("section 5: parsers of server text are linear", () => {
  const length = 100_000;
  test.each([
    ["quotes", '"'.repeat(length)],
    ["backslashes", `Basic realm="${"\\".repeat(length)}`],
    ["commas", ",".repeat(length)],
    ["names", "a ".repeat(length / 2)],
    ["parameters", `Basic ${"a=b,".repeat(length / 4)}`],
    ["scopes", `Bearer realm="x",scope="${" ".repeat(length)}"`],
  ])("parseChallenges() reads 100,000 characters of %s at once", (_what, text) => {
    const parse = (): void => {
      // Below the cap of one header, so that the scanner works on all of it.
      for (let at = 0; at < text.length; at += 32_000) parseChallenges([text.slice(at, at + 32_000)]);
      parseChallenges([text]);
    };
    expect(cpuMs(parse)).toBeLessThan(500);
  });

  test("retryAfterMs() takes any text", () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const waitMs = retryAfterMs({ "retry-after": text }, 0) ?? 0;
        expect(waitMs >= 0 && waitMs <= 300_000).toBe(true);
      }),
    );
  });
});
