import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { NetworkError, UsageError } from "../../src/errors.ts";
import { connectRegistry } from "../../src/registry/client/connect-registry.ts";
import { forgetSystemTrust } from "../../src/registry/http/tls-options.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf, READ, writtenError } from "../support/canaries.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { TEST_TLS } from "../support/test-tls.ts";

const CA = { ca: TEST_TLS.cert };
const auth = { scheme: "bearer", user: "ci", password: CANARIES.password } as const;

afterEach(forgetSystemTrust);

describe("A-19 TLS choices belong to one origin", () => {
  test.each([
    ["--insecure", { insecure: true }],
    ["a custom CA", CA],
  ])("A-19 %s does not hold for a redirect target", async (_what, options) => {
    const storage = await ScriptedRegistry.start({ tls: TEST_TLS });
    const location = `${storage.url}/blob`;
    const faults = [{ on: /blobs/, reply: { status: 307, headers: { location } } }];
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, faults });
    const client = await clientOf(registry.host, options);
    const error = await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.message).toContain(`redirected to ${storage.host}: untrusted certificate`);
    expect(storage.requests).toEqual([]);
  });

  test.each([
    ["--insecure", { insecure: true }],
    ["a custom CA", CA],
  ])("A-19 %s does not hold for the token server", async (_what, options) => {
    const tokens = await ScriptedRegistry.start({ tls: TEST_TLS });
    const challenge = `Bearer realm="${tokens.url}/token",service="s"`;
    const faults = [{ on: /blobs/, reply: { status: 401, headers: { "www-authenticate": challenge } } }];
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, faults });
    const client = await clientOf(registry.host, { ...options, username: "ci", password: CANARIES.password });
    const error = await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(error.message).toContain("untrusted certificate");
    expectNoCanary(writtenError(error));
    expect(tokens.requests).toEqual([]);
  });

  test("A-19 a token server is trusted by its own folder in certs.d, which does not hold for the registry", async () => {
    const root = await temporaryFolder();
    const body = Buffer.from('{"token":"t"}');
    const tokens = await ScriptedRegistry.start({
      tls: TEST_TLS,
      faults: [{ on: /token/, reply: { status: 200, body } }],
    });
    const challenge = `Bearer realm="${tokens.url}/token",service="s"`;
    const faults = [{ on: /blobs/, reply: { status: 401, headers: { "www-authenticate": challenge } } }];
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, faults });
    const folder = join(root, "etc", "docker", "certs.d", tokens.host);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "ca.crt"), TEST_TLS.cert);
    const call = { ...READ, url: "/v2/team/app/blobs/x", accept: [404] };
    const client = await clientOf(registry.host, { insecure: true, root });
    await expect(client.call(call)).resolves.toMatchObject({ status: 404 });
    expect(tokens.requests).toHaveLength(1);
    const stranger = await clientOf(registry.host, { plainHttp: false, root });
    await expect(stranger.call(call)).rejects.toThrow("untrusted certificate");
  });

  test("A-19 a client certificate is shown to its registry alone", async () => {
    const storage = await ScriptedRegistry.start();
    const faults = [{ on: /blobs/, reply: { status: 307, headers: { location: `${storage.url}/blob` } } }];
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, faults });
    const clientCertificates = [TEST_TLS];
    const client = await clientOf(registry.host, { ...CA, clientCertificates });
    // From https to http is refused before anything is sent.
    const error = await failureOf(client.open({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(error.message).toContain("unencrypted location");
    expect(storage.requests).toEqual([]);
  });

  test("A-19 NODE_TLS_REJECT_UNAUTHORIZED=0 stops imgpack, unless --insecure says the same of this registry", async () => {
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const refused = connectRegistry("registry.example", { env, home: "/nonexistent", root: "/nonexistent" });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(/NODE_TLS_REJECT_UNAUTHORIZED is 0, expected it unset, or --insecure/);
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, auth });
    const client = await clientOf(registry.host, { env, insecure: true });
    await expect(client.call({ ...READ, url: "/v2/", accept: [404, 401] })).resolves.toMatchObject({
      status: 401,
    });
  });

  test("A-19 NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect on what a connection checks", async () => {
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS });
    const client = await clientOf(registry.host, { plainHttp: false });
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await expect(client.open({ ...READ, url: "/v2/", accept: [404] })).rejects.toThrow("untrusted certificate");
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
    expect(registry.requests).toEqual([]);
  });
});

describe("A-11 TLS that fails is never replaced by plain HTTP (CVE-2014-5277)", () => {
  test.each([
    ["a certificate that nobody trusts", true, /untrusted certificate/],
    ["a server that speaks plain HTTP", false, /plain HTTP answer, expected TLS/],
  ])("A-11 %s is an error, and nothing was sent", async (_what, hasTls, message) => {
    const registry = await ScriptedRegistry.start({ auth, ...(hasTls ? { tls: TEST_TLS } : {}) });
    const login = { username: "ci", password: CANARIES.password, plainHttp: false };
    const client = await clientOf(registry.host, login);
    const error = await failureOf(client.call({ ...READ, url: "/v2/", accept: [200, 404] }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.message).toMatch(message);
    expect(registry.requests).toEqual([]);
  });

  test("A-11 a port that refuses TLS is not tried without", async () => {
    const registry = await ScriptedRegistry.start();
    await registry.close();
    const client = await clientOf(registry.host, { plainHttp: false });
    await expect(client.call({ ...READ, url: "/v2/", accept: [200] })).rejects.toThrow("connection refused");
  });
});
