import { describe, expect, onTestFinished, test } from "vitest";
import { NetworkError, UsageError } from "../../src/errors.ts";
import { isBypassed } from "../../src/registry/http/proxy-bypass.ts";
import { proxiesOf } from "../../src/registry/http/proxy-settings.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf, READ, written, writtenError } from "../support/canaries.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { TestProxy, type TestProxyOptions } from "../support/test-proxy.ts";
import { TEST_TLS } from "../support/test-tls.ts";

const USER = `agent:${CANARIES.proxy}`;

async function startProxy(options: TestProxyOptions = { auth: USER }): Promise<TestProxy> {
  const proxy = await TestProxy.start(options);
  onTestFinished(async () => await proxy.close());
  return proxy;
}

/** A name that the proxy alone can resolve, with the registry's port. */
function named({ host }: ScriptedRegistry): string {
  return `localhost.registry.test:${host.split(":")[1] ?? ""}`;
}

describe("A-21 proxy credentials (CVE-2024-24758)", () => {
  test("A-21 Proxy-Authorization goes on the CONNECT alone, and the registry's credentials through the tunnel alone", async () => {
    const auth = { scheme: "basic", user: "ci", password: CANARIES.password } as const;
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS, auth });
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const proxy = await startProxy();
    const env = { HTTPS_PROXY: `http://${USER}@${proxy.host}` };
    const login = { username: "ci", password: CANARIES.password };
    const client = await clientOf(named(registry), { env, insecure: true, ...login });
    const response = await client.call({ ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] });
    expect(response.status).toBe(200);
    expect(proxy.requests.map(({ line }) => line)).toEqual([`CONNECT ${named(registry)}`]);
    expect(proxy.requests[0]?.headers["proxy-authorization"]).toBe(`Basic ${Buffer.from(USER).toString("base64")}`);
    expect(Object.keys(proxy.requests[0]?.headers ?? {}).toSorted()).toEqual([
      "connection",
      "host",
      "proxy-authorization",
    ]);
    expect(registry.requests).toHaveLength(2);
    for (const { headers } of registry.requests) expect(headers).not.toHaveProperty("proxy-authorization");
    expect(registry.requests[1]?.headers.authorization).toBe(
      `Basic ${Buffer.from(`ci:${CANARIES.password}`).toString("base64")}`,
    );
    expectNoCanary(Buffer.concat(proxy.tunnelled).toString("latin1"));
  });

  test("A-21 a plain registry behind a proxy is asked by whole URL, and sees no Proxy-Authorization", async () => {
    const registry = await ScriptedRegistry.start();
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const proxy = await startProxy();
    const env = { http_proxy: `http://${USER}@${proxy.host}` };
    const client = await clientOf(named(registry), { env, plainHttp: true });
    await client.call({ ...READ, url: `/v2/team/app/blobs/${digest}?x=1`, accept: [200] });
    expect(proxy.requests.map(({ line }) => line)).toEqual([
      `GET http://${named(registry)}/v2/team/app/blobs/${digest}?x=1`,
    ]);
    expect(registry.requests[0]?.headers.host).toBe(named(registry));
    expectNoCanary(written(registry.requests));
  });

  test.each([
    ["refuses", 403, "status 403"],
    ["wants other credentials", 407, "status 407"],
    ["has no way", 502, "status 502"],
  ])("A-21 a proxy that %s is an error, not a direct connection", async (_what, refuse, found) => {
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS });
    const proxy = await startProxy({ refuse });
    const env = { HTTPS_PROXY: `http://${USER}@${proxy.host}` };
    const client = await clientOf(named(registry), { env, insecure: true });
    const error = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.message).toBe(
      `Cannot connect to ${named(registry)} through proxy ${proxy.host}: ${found}, expected a tunnel`,
    );
    expectNoCanary(writtenError(error));
    expect(registry.requests).toEqual([]);
  });

  test("A-21 a proxy that is not there is an error, not a direct connection", async () => {
    const registry = await ScriptedRegistry.start({ tls: TEST_TLS });
    const proxy = await TestProxy.start();
    const { host } = proxy;
    await proxy.close();
    const client = await clientOf(named(registry), { env: { HTTPS_PROXY: `http://${USER}@${host}` }, insecure: true });
    const error = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(error.message).toContain(`through proxy ${host}: connection refused`);
    expectNoCanary(writtenError(error));
    expect(registry.requests).toEqual([]);
  });

  test("A-21 the proxy's certificate must be trusted whatever the registry is allowed", async () => {
    const proxy = await ScriptedRegistry.start({ tls: TEST_TLS });
    const client = await clientOf("registry.test", {
      env: { HTTPS_PROXY: `https://${USER}@${proxy.host}` },
      insecure: true,
    });
    const error = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(proxy.requests).toEqual([]);
  });

  test.each([
    ["a SOCKS proxy", `socks5://${USER}@proxy.lan:1080`, "found a socks5 proxy"],
    ["no URL", `http://${USER}@pro xy`, "found no URL"],
    ["a broken escape", `http://%zz:${CANARIES.proxy}@proxy.lan`, "found user information with a broken % escape"],
  ])("A-21 a variable with %s is refused without its text", (_what, text, found) => {
    const refused = (): unknown => proxiesOf({ HTTPS_PROXY: text });
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(`Cannot use HTTPS_PROXY: ${found}, expected http://HOST:PORT`);
    try {
      refused();
    } catch (error) {
      expectNoCanary(writtenError(error));
    }
  });

  test("A-21 lower case wins, a missing scheme is http, an empty variable is none", () => {
    const proxyFor = proxiesOf({ https_proxy: "low.lan:3128", HTTPS_PROXY: "http://up.lan", HTTP_PROXY: "" });
    expect(proxyFor(new URL("https://registry.lan/"))?.url.href).toBe("http://low.lan:3128/");
    expect(proxyFor(new URL("http://registry.lan/"))).toBeUndefined();
  });
});

describe("A-21 NO_PROXY", () => {
  test.each<[noProxy: string, url: string, isBypassed: boolean]>([
    ["", "https://registry.lan/", false],
    ["*", "https://registry.lan/", true],
    ["registry.lan", "https://registry.lan/", true],
    ["registry.lan", "https://registry.lan:5000/", true],
    ["registry.lan", "https://a.registry.lan/", true],
    ["registry.lan", "https://evil-registry.lan/", false],
    ["registry.lan", "https://registry.lan.evil.example/", false],
    ["REGISTRY.LAN", "https://registry.lan/", true],
    ["registry.lan.", "https://registry.lan/", true],
    ["registry.lan", "https://registry.lan./", true],
    [".lan", "https://registry.lan/", true],
    [".registry.lan", "https://registry.lan/", false],
    [".registry.lan", "https://a.registry.lan/", true],
    ["*.registry.lan", "https://a.registry.lan/", true],
    ["*.registry.lan", "https://registry.lan/", false],
    ["re*.lan", "https://registry.lan/", false],
    ["registry.lan:5000", "https://registry.lan:5000/", true],
    ["registry.lan:5000", "https://registry.lan/", false],
    ["registry.lan:443", "https://registry.lan/", true],
    ["registry.lan:80", "http://registry.lan/", true],
    [".lan:5000", "https://a.lan:5000/", true],
    [".lan:5000", "https://a.lan:5001/", false],
    ["a.lan,  b.lan\tc.lan", "https://c.lan/", true],
    ["a.lan,,b.lan", "https://b.lan/", true],
    ["10.1.2.3", "https://10.1.2.3/", true],
    ["10.1.2.3", "https://10.1.2.30/", false],
    ["10.1.2.3:5000", "https://10.1.2.3:5000/", true],
    ["10.1.2.3:5000", "https://10.1.2.3/", false],
    ["10.0.0.0/8", "https://10.1.2.3/", true],
    ["10.0.0.0/8", "https://11.1.2.3/", false],
    ["10.0.0.0/8", "https://10.1.2.3.evil.example/", false],
    ["10.0.0.0/33", "https://10.1.2.3/", false],
    ["10.0.0.0/", "https://10.1.2.3/", false],
    ["0.0.0.0/0", "https://10.1.2.3/", true],
    ["0.0.0.0/0", "https://registry.lan/", false],
    ["fd00::/8", "https://[fd12::1]/", true],
    ["fd00::/8", "https://[fe12::1]/", false],
    ["fd12::1", "https://[fd12::1]/", true],
    ["[fd12::1]", "https://[fd12::1]:5000/", true],
    ["[fd12::1]:5000", "https://[fd12::1]:5000/", true],
    ["[fd12::1]:5000", "https://[fd12::1]/", false],
    ["fd12:0:0::1", "https://[fd12::1]/", true],
    ["10.0.0.0/8", "https://[::ffff:10.1.2.3]/", true],
    ["lan", "https://10.1.2.3/", false],
    [".3", "https://10.1.2.3/", false],
    [".", "https://registry.lan/", false],
    [":5000", "https://registry.lan:5000/", false],
    ["", "https://127.0.0.1:5000/", true],
    ["", "https://localhost/", true],
    ["", "https://[::1]/", true],
  ])("A-21 NO_PROXY=%s for %s: %s", (noProxy, url, expected) => {
    expect(isBypassed(new URL(url), noProxy)).toBe(expected);
  });

  test("A-21 a long NO_PROXY takes no time", () => {
    const noProxy = `${"a.".repeat(50_000)},${"[".repeat(1000)}`;
    const ask = (): void => expect(isBypassed(new URL("https://registry.lan/"), noProxy)).toBe(false);
    expect(cpuMs(ask)).toBeLessThan(500);
  });
});
