import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { serveRegistry } from "../../../src/serve/server.ts";
import { isLoopback, plainHost, shownHost } from "../../../src/serve/trusted-host.ts";
import { addressOf, errorCodes, makeFolder, rawReply, send, start } from "./registry-client.ts";

describe("S-07 foreign Host headers", () => {
  test.each(["127.0.0.1", "LOCALHOST", "127.1", "2130706433", "::ffff:7f00:1", "0.0.0.0", "::"])(
    "are refused over loopback, however --listen names it: %s",
    async host => {
      const registry = await start({ listen: host.includes(":") ? `[${host}]:0` : `${host}:0` });
      const local = { ...registry, url: `http://127.0.0.1:${addressOf(registry).port}` };
      const reply = await send(local, "GET", "/v2/", { headers: { host: "evil.example:5000" } });
      expect([reply.status, ...errorCodes(reply)]).toEqual([403, "DENIED"]);
      for (const name of ["localhost:5000", "127.0.0.1", "[::1]:5000", "host.docker.internal", "registry"]) {
        expect((await send(local, "GET", "/v2/", { headers: { host: name } })).status, name).toBe(200);
      }
      expect(registry.isOpenToNetwork).toBe(host === "0.0.0.0" || host === "::");
    },
  );

  test("are logged with the reason once, and the answer says what allows them", async () => {
    const events: ServeEvent[] = [];
    const onEvent = (event: ServeEvent): void => void (event.kind === "connection" ? events.push(event) : 0);
    const registry = await start({ onEvent });
    for (const _ of [1, 2]) {
      const { body } = await send(registry, "GET", "/v2/", { headers: { host: "evil.example" } });
      expect(body.toString()).toContain("or a name given with --allow-host");
    }
    expect(events).toEqual([
      {
        kind: "connection",
        remoteAddress: "127.0.0.1",
        found: expect.stringContaining("is not a name of this registry"),
      },
    ]);
  });

  test("are refused unless no one can register them; none is fine", async () => {
    const registry = await start();
    const verdict = async (host: string): Promise<number> =>
      (await send(registry, "GET", "/v2/", { headers: { host } })).status;
    for (const host of ["127.0.0.1:5000", "[::1]:5000", "LOCALHOST:80", "x.localhost.", "registry:5000"]) {
      expect([host, await verdict(host)]).toEqual([host, 200]);
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example:5000", "localhost.evil.example", "a b"]) {
      expect([host, await verdict(host)]).toEqual([host, 403]);
    }
    const { port } = addressOf(registry);
    expect(await rawReply(port, "GET /v2/ HTTP/1.0\r\n\r\n")).toContain("200 OK");
    expect(await rawReply(port, "GET /v2/ HTTP/1.0\r\nHost:\r\n\r\n")).toContain("403 Forbidden");
  });

  test("are accepted if --allow-host names them, with and without a port", async () => {
    const registry = await start({ allowHost: ["Registry.LAN", "mirror.lan:5000"] });
    const statuses = await Promise.all(
      ["registry.lan", "REGISTRY.lan.:80", "mirror.lan", "localhost", "evil.lan", "x.registry.lan"].map(
        async host => (await send(registry, "GET", "/v2/", { headers: { host } })).status,
      ),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 403, 403]);
    const store = await makeFolder();
    await expect(serveRegistry({ store, allowHost: "http://x/" })).rejects.toBeInstanceOf(UsageError);
  });

  test("hold for a target in absolute form, whose host takes the place of the header", async () => {
    const { port } = addressOf(await start());
    const statusOf = async (target: string, host: string): Promise<string> =>
      (await rawReply(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).slice(9, 12);
    for (const [target, host, status] of [
      ["http://localhost/v2/", "localhost", "200"],
      ["HTTP://localhost:5000/v2/", "evil.example", "200"],
      ["http://localhost/v2/_catalog?n=1", "localhost", "200"],
      ["http://localhost", "localhost", "200"],
      ["http://evil.example/v2/", "localhost", "403"],
      ["http:///v2/", "localhost", "403"],
      ["http://localhost/v2/app/manifests/1", "localhost", "404"],
    ] as const)
      expect([target, host, await statusOf(target, host)]).toEqual([target, host, status]);
  });

  test("two of them are 400, whatever they are", async () => {
    const { port } = addressOf(await start());
    for (const second of ["evil.example", "localhost"]) {
      const text = `GET /v2/ HTTP/1.1\r\nHost: localhost\r\nhost: ${second}\r\nConnection: close\r\n\r\n`;
      expect(await rawReply(port, text)).toMatch(/^HTTP\/1.1 400 /);
    }
  });
});

describe("plainHost()", () => {
  test.each([
    ["[::1]:5000", "::1"],
    ["[::1]", "::1"],
    ["::1", "::1"],
    ["fe80::1234", "fe80::1234"],
    ["Registry.LAN.:80", "registry.lan"],
    ["registry:5000", "registry"],
    [":80", ""],
  ])("%s is %s", (text, expected) => {
    expect(plainHost(text)).toBe(expected);
  });
});

describe("isLoopback()", () => {
  test.each([
    ["127.0.0.1", true],
    ["127.255.0.9", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["192.168.0.1", false],
    ["localhost.evil.example", false],
    ["", false],
  ])("%s: %s", (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});

describe("shownHost()", () => {
  const socket = { localAddress: "::ffff:10.0.0.5", localPort: 5000 };
  test.each([
    ["registry.lan:5000", "registry.lan:5000"],
    ["REGISTRY.LAN", "registry.lan"],
    ["10.0.0.5:5000", "10.0.0.5:5000"],
    ["[fd00::1]:80", "[fd00::1]:80"],
    ["registry:5000", "registry:5000"],
    ["evil.example:5000", "10.0.0.5:5000"],
    ['registry"><script>', "10.0.0.5:5000"],
    ["localhost:5000/x", "10.0.0.5:5000"],
    ["registry.lan:999999", "10.0.0.5:5000"],
    [undefined, "10.0.0.5:5000"],
  ])("a page shows %j as %s: no name that anybody can register", (host, shown) => {
    const request = { headers: { host }, socket } as unknown as IncomingMessage;
    expect(shownHost(request, { names: new Set(["registry.lan"]), isStrict: false })).toBe(shown);
  });
});
