import { describe, expect, test } from "vitest";
import { AuthError, RegistryError } from "../../../../src/errors.ts";
import { Authenticator, type FetchToken, type TokenHttpRequest } from "../../../../src/registry/auth/authenticator.ts";
import { type BearerChallenge, parseChallenges } from "../../../../src/registry/auth/challenge.ts";
import type { Credentials } from "../../../../src/registry/credentials/find-credentials.ts";

const REGISTRY = new URL("https://registry.lan/");
const PULL = { repository: "team/app", actions: "pull" } as const;
const PUSH = { repository: "team/app", actions: "pull,push" } as const;
const USER: Credentials = { username: "ci", password: "p:w", source: "--username" };
const BASIC = `Basic ${Buffer.from("ci:p:w").toString("base64")}`;
const BEARER: BearerChallenge = {
  scheme: "bearer",
  realm: "https://auth.lan/token?tenant=a%2Fb",
  service: "reg istry",
};

interface Bench {
  readonly auth: Authenticator;
  readonly requests: TokenHttpRequest[];
  readonly clock: { ms: number };
}

interface BenchOptions {
  readonly credentials?: Credentials;
  readonly reply?: (request: TokenHttpRequest, index: number) => object | Promise<object>;
  readonly status?: number;
}

/** A token server that counts: the first token is "t1". */
function bench({ credentials, reply, status = 200 }: BenchOptions = {}): Bench {
  const requests: TokenHttpRequest[] = [];
  const clock = { ms: 0 };
  const fetchToken: FetchToken = async request => {
    requests.push(request);
    const index = requests.length;
    const body = reply === undefined ? { token: `t${index}`, expires_in: 300 } : await reply(request, index);
    if ("status" in body) return { headers: {}, body: new Uint8Array(), ...body } as Awaited<ReturnType<FetchToken>>;
    return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) };
  };
  const auth = new Authenticator({
    registry: REGISTRY,
    credentials,
    fetchToken,
    now: () => clock.ms,
    resolve: async () => [],
  });
  return { auth, requests, clock };
}

describe("Authenticator with Basic", () => {
  const challenges = parseChallenges(['Basic realm="r"']);

  test("Authenticator sends nothing until it is challenged, then user and password", async () => {
    const { auth, requests } = bench({ credentials: USER });
    await expect(auth.authorization(PULL)).resolves.toBeUndefined();
    await expect(auth.answer(challenges, PULL, undefined)).resolves.toBe(true);
    await expect(auth.authorization(PUSH)).resolves.toBe(BASIC);
    expect(requests).toEqual([]);
  });

  test("Authenticator does not send a refused password again", async () => {
    const { auth } = bench({ credentials: USER });
    await expect(auth.answer(challenges, PULL, BASIC)).resolves.toBe(false);
  });

  test("Authenticator gives up without credentials or without a challenge it knows", async () => {
    await expect(bench().auth.answer(challenges, PULL, undefined)).resolves.toBe(false);
    await expect(bench({ credentials: USER }).auth.answer([], PULL, undefined)).resolves.toBe(false);
  });
});

describe("Authenticator with Bearer", () => {
  test("Authenticator gets a token with Basic, keeping the realm's query", async () => {
    const { auth, requests } = bench({ credentials: USER });
    await expect(auth.answer([BEARER], PUSH, undefined)).resolves.toBe(true);
    expect(requests[0]?.method).toBe("GET");
    expect(requests[0]?.url.href).toBe(
      "https://auth.lan/token?tenant=a%2Fb&service=reg%20istry&scope=repository%3Ateam%2Fapp%3Apull%2Cpush&account=ci",
    );
    expect(requests[0]?.headers["authorization"]).toBe(BASIC);
    await expect(auth.authorization(PUSH)).resolves.toBe("Bearer t1");
    expect(requests).toHaveLength(1);
  });

  test("Authenticator asks anonymously without credentials", async () => {
    const { auth, requests } = bench();
    await auth.answer([{ scheme: "bearer", realm: "https://auth.lan/token" }], PULL, undefined);
    expect(requests[0]?.url.search).toBe("?scope=repository%3Ateam%2Fapp%3Apull");
    expect(requests[0]?.headers).not.toHaveProperty("authorization");
  });

  test("Authenticator prefers Bearer when both are offered", async () => {
    const { auth } = bench({ credentials: USER });
    await auth.answer([{ scheme: "basic", realm: "" }, BEARER], PULL, undefined);
    await expect(auth.authorization(PULL)).resolves.toBe("Bearer t1");
  });

  test("Authenticator sends one scope parameter per resource when it mounts", async () => {
    const { auth, requests } = bench();
    await auth.answer([BEARER], { ...PUSH, mountFrom: "base/os" }, undefined);
    expect(requests[0]?.url.searchParams.getAll("scope")).toEqual([
      "repository:base/os:pull",
      "repository:team/app:pull,push",
    ]);
  });

  test("Authenticator adds what the challenge names, but never delete", async () => {
    const { auth, requests } = bench();
    const scope = [
      "repository:team/app:delete,push",
      "repository:mirror/team/app:pull,delete,*",
      "registry:catalog:*",
      "odd",
    ];
    await auth.answer([{ ...BEARER, scope }], PULL, undefined);
    expect(requests[0]?.url.searchParams.getAll("scope")).toEqual([
      "repository:mirror/team/app:pull",
      "repository:team/app:pull,push",
    ]);
  });

  test("Authenticator renews a token at 80 % of its life", async () => {
    const { auth, clock, requests } = bench({ credentials: USER });
    await auth.answer([BEARER], PUSH, undefined);
    clock.ms = 239_999;
    await expect(auth.authorization(PUSH)).resolves.toBe("Bearer t1");
    clock.ms = 240_000;
    await expect(auth.authorization(PUSH)).resolves.toBe("Bearer t2");
    expect(requests[1]?.url.href).toBe(requests[0]?.url.href);
  });

  test.each([
    ["nothing", {}],
    ["5 seconds", { expires_in: 5 }],
    ["a negative life", { expires_in: -1 }],
  ])("Authenticator takes a token with %s for 60 seconds", async (_what, life) => {
    const { auth, clock } = bench({ reply: (_request, index) => ({ access_token: `a${index}`, ...life }) });
    await auth.answer([BEARER], PULL, undefined);
    clock.ms = 47_999;
    await expect(auth.authorization(PULL)).resolves.toBe("Bearer a1");
    clock.ms = 48_000;
    await expect(auth.authorization(PULL)).resolves.toBe("Bearer a2");
  });

  test("Authenticator replaces the token that was refused, not one that a sibling has renewed", async () => {
    const { auth, requests } = bench();
    await auth.answer([BEARER], PULL, undefined);
    await auth.answer([BEARER], PULL, "Bearer t1");
    await auth.answer([BEARER], PULL, "Bearer t1");
    await expect(auth.authorization(PULL)).resolves.toBe("Bearer t2");
    expect(requests).toHaveLength(2);
  });

  test("Authenticator keeps tokens of different scopes apart", async () => {
    const { auth } = bench();
    await auth.answer([BEARER], PULL, undefined);
    await auth.answer([BEARER], PUSH, undefined);
    await expect(auth.authorization(PULL)).resolves.toBe("Bearer t1");
    await expect(auth.authorization(PUSH)).resolves.toBe("Bearer t2");
    await expect(auth.authorization({ ...PULL, repository: "other" })).resolves.toBeUndefined();
  });

  test("Authenticator shares one token request between concurrent callers", async () => {
    const { auth, requests } = bench();
    const answers = await Promise.all([1, 2, 3].map(async () => await auth.answer([BEARER], PULL, undefined)));
    expect(answers).toEqual([true, true, true]);
    expect(requests).toHaveLength(1);
  });

  test("Authenticator aborts a shared request only when all callers have gone", async () => {
    const started = signalled();
    const { auth, requests } = bench({
      reply: async () => {
        started.ring();
        await new Promise(() => undefined);
        return {};
      },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [first, second].map(async ({ signal }) => await auth.answer([BEARER], PULL, undefined, signal));
    const outcomes = Promise.allSettled(answers);
    await started.rung;
    first.abort(new Error("first"));
    await expect(answers[0]).rejects.toThrow("first");
    expect(requests[0]?.signal?.aborted).toBe(false);
    second.abort(new Error("second"));
    await outcomes;
    expect(requests[0]?.signal?.aborted).toBe(true);
  });

  test("Authenticator follows the token server within its origin only", async () => {
    const moved = (location: string): BenchOptions => ({
      credentials: USER,
      reply: (_request, index) => (index === 1 ? { status: 307, headers: { location } } : { token: "moved" }),
    });
    const within = bench(moved("/token/?x=1"));
    await within.auth.answer([BEARER], PULL, undefined);
    expect(within.requests[1]?.url.href).toBe("https://auth.lan/token/?x=1");
    expect(within.requests[1]?.headers["authorization"]).toBe(BASIC);
    const away = bench(moved("https://auth.lan:8443/token"));
    await expect(away.auth.answer([BEARER], PULL, undefined)).rejects.toThrow("redirects to auth.lan:8443");
    expect(away.requests).toHaveLength(1);
  });

  test.each([
    [400, AuthError, false],
    [401, AuthError, false],
    [404, AuthError, false],
    [429, RegistryError, true],
    [503, RegistryError, true],
  ])("Authenticator turns status %i of the token server into %o", async (status, type, transient) => {
    const { auth } = bench({ credentials: USER, status });
    const error: unknown = await auth.answer([BEARER], PULL, undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ transient });
    await expect(auth.authorization(PULL)).resolves.toBeUndefined();
  });

  test("Authenticator makes a fault of the connection a NetworkError", async () => {
    const reset = Object.assign(new Error("raw"), { code: "ECONNRESET" });
    const { auth } = bench({ reply: async () => await Promise.reject(reset) });
    const error: unknown = await auth.answer([BEARER], PULL, undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "ERR_NETWORK",
      transient: true,
      message: "Cannot read token from auth.lan: connection reset, expected an answer",
    });
  });

  test.each([
    ["no token", {}],
    ["an empty token", { token: "" }],
    ["a line break in the token", { token: "a\r\nx-injected: 1" }],
    ["a token of another type", { token: 7 }],
    ["a token above 64 KiB", { token: "a".repeat(64 * 1024 + 1) }],
    ["more than 1 MiB", { token: "a", padding: "b".repeat(1024 * 1024) }],
  ])("Authenticator refuses a reply with %s", async (_what, reply) => {
    await expect(bench({ reply: () => reply }).auth.answer([BEARER], PULL, undefined)).rejects.toThrow(AuthError);
  });
});

describe("Authenticator with an identity token", () => {
  const identity: Credentials = { username: "", password: "", identityToken: "refresh+/=", source: "helper" };

  test("Authenticator posts the refresh grant", async () => {
    const { auth, requests } = bench({ credentials: identity, reply: () => ({ access_token: "a" }) });
    await auth.answer([BEARER], { ...PUSH, mountFrom: "base" }, undefined);
    const [request] = requests;
    expect(request).toMatchObject({ method: "POST", url: { href: BEARER.realm } });
    expect(request?.headers).not.toHaveProperty("authorization");
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: "refresh_token",
      service: "reg istry",
      client_id: "imgpack",
      scope: "repository:base:pull repository:team/app:pull,push",
      refresh_token: "refresh+/=",
    });
    await expect(auth.authorization({ ...PUSH, mountFrom: "base" })).resolves.toBe("Bearer a");
  });

  test.each([404, 405])("Authenticator falls back to GET after status %i when it has a password", async status => {
    const reply = (request: TokenHttpRequest): object => (request.method === "POST" ? { status } : { token: "basic" });
    const both = bench({ credentials: { ...identity, ...USER }, reply });
    await both.auth.answer([BEARER], PULL, undefined);
    expect(both.requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
    await expect(bench({ credentials: identity, reply }).auth.answer([BEARER], PULL, undefined)).rejects.toThrow(
      AuthError,
    );
  });

  test("Authenticator does not answer Basic with an identity token", async () => {
    await expect(
      bench({ credentials: identity }).auth.answer([{ scheme: "basic", realm: "" }], PULL, undefined),
    ).resolves.toBe(false);
  });
});

function signalled(): { readonly rung: Promise<void>; readonly ring: () => void } {
  let ring = (): void => undefined;
  const rung = new Promise<void>(resolve => {
    ring = resolve;
  });
  return { rung, ring: () => ring() };
}
