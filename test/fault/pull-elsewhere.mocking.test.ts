// Blobs that lie behind a redirect, registries with TLS, and those that want a login.
import type { LookupFunction } from "node:net";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { waits } from "../support/instant-waits.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { TEST_TLS } from "../support/test-tls.ts";
import {
  always,
  BIG,
  BIG_BLOB,
  expectNothingLeft,
  expectWhole,
  MIB,
  pullCase,
  pullFrom,
  SMALL,
  SMALL_BLOB,
} from "./pull-support.ts";

vi.mock("node:timers/promises", async () => await import("../support/instant-waits.ts"));
// A name server that knows one more name.
vi.mock("node:dns", async original => {
  const dns = await original<typeof import("node:dns")>();
  const lookup: LookupFunction = (host, options, done) => {
    if (host === "registry.lan") done(null, [{ address: "127.0.0.1", family: 4 }]);
    else dns.lookup(host, options, done);
  };
  return { ...dns, lookup };
});

const AUTH = { user: "ci", password: "canary" };
const LOGIN = { registry: { auth: { username: AUTH.user, password: AUTH.password } } };
const BLOB = /^GET \/v2\/app\/blobs\//;

beforeEach(() => {
  waits.length = 0;
});

/** A storage that has the blobs, and the fault that sends every request for a blob there. */
async function storageFor(faults: readonly Fault[] = []): Promise<{ storage: ScriptedRegistry; redirect: Fault }> {
  const storage = await ScriptedRegistry.start({ faults });
  for (const blob of [BIG, SMALL]) storage.content.addBlob(blob);
  const change: Fault["change"] = (_reply, { path }) => ({
    status: 307,
    headers: { location: `${storage.url}${path}?X-Amz-Signature=s3cret` },
    body: Buffer.from("moved"),
  });
  return { storage, redirect: always({ on: BLOB, change }) };
}

/** The config is not in the storage. */
function layersOnly({ change, ...redirect }: Fault): Fault {
  return {
    ...redirect,
    ...(change === undefined ? {} : { change }),
    on: new RegExp(`${BIG_BLOB.source}|${SMALL_BLOB.source}`),
  };
}

describe("A-12 pull() follows blobs to another origin without credentials", () => {
  test.each(["basic", "bearer"] as const)("A-12 storage sees no header but the harmless ones (%s)", async scheme => {
    const { storage, redirect } = await storageFor();
    const auth = { scheme, ...AUTH };
    const pulled = await pullCase({ auth, faults: [layersOnly(redirect)], layers: [BIG, SMALL], options: LOGIN });
    await expectWhole(pulled);
    expect(storage.requests).toHaveLength(2);
    for (const { headers } of storage.requests) {
      const { accept: _accept, range: _range, connection: _connection, ...others } = headers;
      expect(others).toEqual({ host: storage.host, "user-agent": expect.stringMatching(/^imgpack\//) });
    }
    // A small redirect body does not cost the connection to the registry.
    expect(pulled.registry.seen(BIG_BLOB)).toHaveLength(1);
  });

  test("pull() asks the registry again when storage breaks off, and for the rest only", async () => {
    const { storage, redirect } = await storageFor([{ on: BIG_BLOB, cut: MIB + 1 }]);
    const pulled = await pullCase({ faults: [layersOnly(redirect)] });
    await expectWhole(pulled);
    expect(pulled.registry.seen(BIG_BLOB)).toHaveLength(2);
    expect(storage.seen(BIG_BLOB).map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${MIB}-`]);
  });

  test.each([
    ["big", BIG, BIG_BLOB],
    ["small", SMALL, SMALL_BLOB],
  ] as const)("A-10 storage that asks for a login with a %s blob gets none, and is named", async (_what, layer, on) => {
    const challenge = { "www-authenticate": 'Basic realm="storage"' };
    const { storage, redirect } = await storageFor([always({ on, reply: { status: 401, headers: challenge } })]);
    const pulled = await pullCase({
      auth: { scheme: "basic", ...AUTH },
      faults: [layersOnly(redirect)],
      layers: [layer],
      options: LOGIN,
    });
    expect(pulled.error).toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
    expect(pulled.error?.message).toContain(`redirected to ${storage.host}: status 401`);
    expect(JSON.stringify(storage.requests.map(({ headers }) => headers))).not.toMatch(/authorization/i);
    expectNothingLeft(pulled);
  });

  test("pull() names the storage that cannot be reached, without its signed address", async () => {
    const { storage, redirect } = await storageFor();
    await storage.close();
    const pulled = await pullCase({ faults: [layersOnly(redirect)] });
    expect(pulled.error?.message).toMatch(
      new RegExp(
        `^Cannot pull blob sha256:[0-9a-f]{64} from .*/app, redirected to ${storage.host}: connection refused`,
      ),
    );
    expect(pulled.error?.message).not.toContain("s3cret");
    expect(waits).toEqual([]);
  });

  test("pull() follows a registry that is known by name to storage at a private address", async () => {
    const { storage, redirect } = await storageFor();
    const registry = await ScriptedRegistry.start({ faults: [layersOnly(redirect)] });
    const named = registry.host.replace("127.0.0.1", "registry.lan");
    const pulled = await pullFrom(registry, {
      layers: [BIG, SMALL],
      reference: `${named}/app:1`,
      options: { registry: { tls: { plainHttp: true } } },
    });
    await expectWhole(pulled);
    expect(storage.requests).toHaveLength(2);
  });
});

describe("pull() with TLS", () => {
  const tls = TEST_TLS;

  test("pull() trusts --ca-file, at an IP address too, on both kinds of connection", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", onWarning);
    const pulled = await pullCase({ tls, layers: [BIG, SMALL], options: { registry: { tls: { ca: TEST_TLS.cert } } } });
    await expectWhole(pulled);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
    expect(pulled.registry.seen(BIG_BLOB)).toHaveLength(1);
  });

  test("pull() goes on where a TLS connection broke off", async () => {
    const pulled = await pullCase({
      tls,
      faults: [{ on: BIG_BLOB, cut: MIB + 1 }],
      options: { registry: { tls: { insecure: true } } },
    });
    await expectWhole(pulled);
    expect(pulled.registry.seen(BIG_BLOB).map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${MIB}-`]);
  });

  test("A-19 pull() refuses an unknown certificate, and stops at NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const refused = await pullCase({ tls, options: { registry: { tls: { plainHttp: false } } } });
    expect(refused.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(refused.error?.message).toContain("untrusted certificate, expected a certificate that this machine trusts");
    expect(refused.error?.hint).toContain("--ca-file");
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    try {
      const pulled = await pullCase({ tls, options: { registry: { tls: { plainHttp: false } } } });
      expect(pulled.error).toMatchObject({ code: "ERR_USAGE", exitCode: 2 });
      expect(pulled.registry.requests).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test.each([
    ["big", BIG, BIG_BLOB],
    ["small", SMALL, SMALL_BLOB],
  ] as const)("A-19 --insecure for a registry does not reach the storage of a %s blob", async (_what, layer, on) => {
    const storage = await ScriptedRegistry.start({ tls });
    storage.content.addBlob(layer);
    const registry = await ScriptedRegistry.start({ tls });
    const headers = (path: string): Record<string, string> => ({ location: `${storage.url}${path}` });
    registry.addFault(always({ on, change: (_reply, { path }) => ({ status: 307, headers: headers(path) }) }));
    const pulled = await pullFrom(registry, { layers: [layer], options: { registry: { tls: { insecure: true } } } });
    expect(pulled.error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(pulled.error?.message).toContain(`redirected to ${storage.host}: untrusted certificate`);
    expect(storage.requests).toEqual([]);
  });

  test("pull() says that a registry speaks no TLS", async () => {
    const pulled = await pullCase({ options: { registry: { tls: { plainHttp: false } } } });
    expect(pulled.error?.message).toContain("plain HTTP answer, expected TLS");
    expect(pulled.error?.hint).toContain("--plain-http");
  });
});

describe("pull() logs in", () => {
  const auth = AUTH;
  const options = LOGIN;

  test("pull() buys one token for everything", async () => {
    const pulled = await pullCase({ auth: { scheme: "bearer", ...auth }, layers: [BIG, SMALL], options });
    await expectWhole(pulled);
    expect(pulled.registry.seen(/^GET \/token/)).toHaveLength(1);
    expect(pulled.registry.seen(BIG_BLOB)).toHaveLength(1);
  });

  test("pull() renews a token that ran out before its time", async () => {
    const registry = await ScriptedRegistry.start({ auth: { scheme: "bearer", ...auth } });
    registry.addFault({ on: BIG_BLOB, onRequest: () => registry.tokens.clear(), change: () => ({}) });
    const pulled = await pullFrom(registry, { options });
    await expectWhole(pulled);
    expect(registry.seen(/^GET \/token/)).toHaveLength(2);
  });

  test("pull() sends a password only to the registry that asks", async () => {
    const pulled = await pullCase({ auth: { scheme: "basic", ...auth }, layers: [BIG, SMALL], options });
    await expectWhole(pulled);
    expect(pulled.registry.requests[0]?.headers.authorization).toBeUndefined();
  });
});
