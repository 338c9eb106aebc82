import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { registryUrl } from "../../../../src/registry/client/connect-registry.ts";
import { clientOf, READ } from "../../../support/canaries.ts";

describe("registryUrl()", () => {
  test.each([
    ["registry.lan:5000", {}, "https://registry.lan:5000/"],
    ["registry.lan", { plainHttp: true }, "http://registry.lan/"],
    ["docker.io", {}, "https://registry-1.docker.io/"],
    ["localhost:5000", {}, "http://localhost:5000/"],
    ["127.0.0.1:5000", {}, "http://127.0.0.1:5000/"],
    ["[::1]:5000", {}, "http://[::1]:5000/"],
    ["127.0.0.1:5000", { plainHttp: false }, "https://127.0.0.1:5000/"],
    ["127.0.0.1:5000", { insecure: true }, "https://127.0.0.1:5000/"],
    ["127.0.0.1:5000", { ca: "PEM" }, "https://127.0.0.1:5000/"],
    ["10.0.0.1:5000", {}, "https://10.0.0.1:5000/"],
  ])("registryUrl() turns %s with %j into %s", (registry, options, url) => {
    expect(registryUrl(registry, options).href).toBe(url);
  });

  test.each([
    ["http://registry.lan", /found a URL/],
    ["docker://registry.lan", /found a URL/],
    ["registry.lan/team", /found a path after the host/],
    ["registry.lan:5000/", /found a path after the host/],
    ["registry.lan:70000", /found a bad port/],
    ["user:secret@registry.lan:5000", /^Cannot connect to registry: found user information, expected a host with/],
    ["user@registry.lan", /found user information/],
    ["a b", /found a bad registry host/],
    ["", /found a registry host of 0 characters/],
    ["0x7f.1", /found a bad/],
  ])("registryUrl() refuses %j", (registry, message) => {
    expect(() => registryUrl(registry, {})).toThrow(UsageError);
    expect(() => registryUrl(registry, {})).toThrow(message);
  });
});

describe("connectRegistry()", () => {
  test("connectRegistry() talks to an IPv6 literal, and names it in Host as it was named", async context => {
    const hosts: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      hosts.push(request.headers.host);
      response.writeHead(200, { "content-length": "0" }).end();
    });
    const isListening = await new Promise<boolean>(resolve => {
      server.once("error", () => resolve(false));
      server.listen(0, "::1", () => resolve(true));
    });
    context.skip(!isListening, "this machine has no IPv6");
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
    const registry = `[::1]:${(server.address() as AddressInfo).port}`;
    const client = await clientOf(registry);
    await client.call({ ...READ, url: "/v2/", accept: [200] });
    expect(hosts).toEqual([registry]);
    expect(client.registry).toBe(registry);
  });

  test("connectRegistry() leaves bodies behind a proxy to the ordinary client", async () => {
    const client = await clientOf("registry.lan", {
      env: { HTTPS_PROXY: "http://proxy.lan:3128", NO_PROXY: "near.lan" },
    });
    await expect(client.transport.isDirect(client.base)).resolves.toBe(false);
    await expect(client.transport.isDirect(new URL("https://near.lan/"))).resolves.toBe(true);
  });
});
