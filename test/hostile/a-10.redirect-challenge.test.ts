import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/errors.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf, READ, written, writtenError } from "../support/canaries.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

const auth = { scheme: "bearer", user: "ci", password: CANARIES.password } as const;
const login = { username: "ci", password: CANARIES.password };

function sendingTo(target: ScriptedRegistry): Fault {
  return {
    on: /^GET \/v2\/.*blobs/,
    when: ({ headers }) => headers.authorization?.startsWith("Bearer") === true,
    reply: { status: 307, headers: { location: `${target.url}/blob?sig=${CANARIES.bearer}` } },
    times: 9,
  };
}

describe("A-10 a redirect target that asks for credentials (GHSA-vh4v-2xq2-g5cg)", () => {
  test.each([
    ["Basic", 'Basic realm="give"'],
    ["Bearer", 'Bearer realm="REALM/token",service="evil",scope="repository:team/app:pull"'],
    ["Negotiate", "Negotiate"],
  ])("A-10 a %s challenge of another origin is an error, not a login", async (_what, challenge) => {
    const evil = await ScriptedRegistry.start();
    const header = challenge.replace("REALM", evil.url);
    evil.addFault({ on: /./, times: 99, reply: { status: 401, headers: { "www-authenticate": header } } });
    const registry = await ScriptedRegistry.start({ auth, faults: [sendingTo(evil)] });
    const client = await clientOf(registry.host, login);
    const error = await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(error).toBeInstanceOf(RegistryError);
    expect(writtenError(error)).toContain(`redirected to ${evil.host}, which refused`);
    expectNoCanary(writtenError(error));
    // The signature in the URL is what the registry gave for this very host.
    expect(evil.requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([["GET", undefined]]);
    expect(evil.seen(/token/)).toEqual([]);
    expectNoCanary(JSON.stringify(evil.requests[0]?.headers));
  });

  test("A-10 the registry's token is used again at home after a refusal elsewhere, and not elsewhere", async () => {
    const storage = await ScriptedRegistry.start();
    storage.addFault({ on: /./, times: 9, reply: { status: 403 } });
    const registry = await ScriptedRegistry.start({ auth, faults: [sendingTo(storage)] });
    const client = await clientOf(registry.host, login);
    for (let round = 0; round < 2; round += 1) {
      await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    }
    expect(registry.seen(/^GET \/token/)).toHaveLength(1);
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });
});

describe("A-12 headers across origins (CVE-2026-40895, CVE-2022-31151, CVE-2023-45143, CVE-2024-30260)", () => {
  test("A-12 another origin gets Accept, Range, If-Range and User-Agent, and nothing else of ours", async () => {
    const storage = await ScriptedRegistry.start();
    storage.addFault({ on: /./, reply: { status: 200, body: Buffer.from("x") } });
    const registry = await ScriptedRegistry.start({ auth, faults: [sendingTo(storage)] });
    const client = await clientOf(registry.host, login);
    const headers = {
      accept: "*/*",
      range: "bytes=0-0",
      "if-range": '"e"',
      "x-registry-auth": CANARIES.helper,
      "proxy-authorization": CANARIES.proxy,
      cookie: CANARIES.refresh,
      "x-meta-secret": CANARIES.passphrase,
    };
    await client.call({ ...READ, url: "/v2/team/app/blobs/x", headers, accept: [200] });
    expect(Object.keys(storage.requests[0]?.headers ?? {}).toSorted()).toEqual([
      "accept",
      "connection",
      "host",
      "if-range",
      "range",
      "user-agent",
    ]);
    expectNoCanary(JSON.stringify(storage.requests[0]?.headers));
  });

  test("A-12 a redirect back home does not bring the credentials back", async () => {
    const storage = await ScriptedRegistry.start();
    const registry = await ScriptedRegistry.start({ auth, faults: [sendingTo(storage)] });
    storage.addFault({ on: /./, reply: { status: 302, headers: { location: `${registry.url}/elsewhere` } } });
    const client = await clientOf(registry.host, login);
    await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(registry.seen(/elsewhere/).map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(written(storage.requests)).not.toContain("Bearer");
  });
});

describe("A-22 cookies (dotnet/sdk#37221)", () => {
  test("A-22 no cookie that a server set ever comes back", async () => {
    const cookies = { "set-cookie": ["sid=1; Path=/", "_csrf=2"] };
    const registry = await ScriptedRegistry.start({
      auth,
      faults: [{ on: /./, times: 99, change: ({ headers }) => ({ headers: { ...headers, ...cookies } }) }],
    });
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const client = await clientOf(registry.host, login);
    for (let round = 0; round < 3; round += 1) {
      await client.call({ ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] });
    }
    expect(registry.requests.length).toBeGreaterThan(4);
    for (const { headers } of registry.requests) expect(headers).not.toHaveProperty("cookie");
  });
});
