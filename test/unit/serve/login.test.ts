import { expect, test } from "vitest";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { TEST_TLS } from "../../support/test-tls.ts";
import { addressOf, digestOf, errorCodes, rawReply, send, start } from "./registry-client.ts";

// By Apache's htpasswd -nbB -C 4, for the password "pä:ss".
const htpasswd = "anna:$2y$04$mSLOFlIkXiNab43hwLnHVOZ/W4KmYw1HC4i2p5V2JXD8RO7PWplb6\n";

function basic(user: string, password: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

const anna = basic("anna", "pä:ss");

test("without the right login every path is 401 and asks for one, for pages, the protocol and metrics; /healthz is open", async () => {
  const registry = await start({ htpasswd });
  for (const path of [
    "/v2/",
    "/v2/_catalog",
    "/",
    "/image/a:1",
    "/metrics",
    "/healthz?x",
    "/%",
    `/v2/a/blobs/${digestOf("")}`,
  ]) {
    const reply = await send(registry, "GET", path);
    expect([reply.status, reply.headers["www-authenticate"], ...errorCodes(reply)], path).toEqual([
      401,
      'Basic realm="imgpack"',
      "UNAUTHORIZED",
    ]);
    expect((await send(registry, "GET", path, { headers: anna })).status, path).not.toBe(401);
  }
  expect((await send(registry, "POST", "/v2/a/blobs/uploads/", { body: "x" })).status).toBe(401);
  expect((await send(registry, "GET", "/healthz")).status).toBe(200);
});

test.each([
  ["a wrong password", basic("anna", "pä:sS")],
  ["another user", basic("bob", "pä:ss")],
  ["a token", { authorization: "Bearer abc" }],
  ["no colon", { authorization: `Basic ${Buffer.from("anna").toString("base64")}` }],
  ["a NUL, where C ends", basic("anna", "pä:ss\0more")],
  ["no base64", { authorization: "Basic %%%" }],
])("%s is refused", async (_, headers) => {
  const registry = await start({ htpasswd });
  expect((await send(registry, "GET", "/v2/", { headers })).status).toBe(401);
});

test("a request names its user and never the password; a web page is refused although it has the login", async () => {
  const events: ServeEvent[] = [];
  const registry = await start({ htpasswd, onEvent: event => events.push(event) });
  await send(registry, "GET", "/v2/", { headers: anna });
  await send(registry, "GET", "/v2/", { headers: basic("mallory", "guess") });
  const page = await send(registry, "GET", "/metrics", { headers: { ...anna, origin: "http://evil.example" } });
  expect(page.status).toBe(403);
  expect(events.map(event => event.kind === "request" && [event.user, event.status, event.remoteAddress])).toEqual([
    ["anna", 200, "127.0.0.1"],
    [undefined, 401, "127.0.0.1"],
    false,
    [undefined, 403, "127.0.0.1"],
  ]);
  expect(JSON.stringify(events)).not.toMatch(/guess|pä|Basic|mallory/);
});

test("a push to a registry with a login, whose answer comes before its body, reaches the client", async () => {
  const { port } = addressOf(await start({ htpasswd }));
  const head = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n";
  expect(await rawReply(port, head + "x".repeat(100_000))).toMatch(/^HTTP\/1.1 401 [\s\S]*connection: close/i);
});

test("logins work over TLS, and pages are kept from shared caches", async () => {
  const registry = await start({ htpasswd, tls: TEST_TLS });
  expect(registry.url).toMatch(/^https:/);
  expect((await send(registry, "GET", "/v2/")).status).toBe(401);
  const page = await send(registry, "GET", "/", { headers: { ...anna, accept: "text/html" } });
  expect([page.status, page.headers["cache-control"]]).toEqual([200, "private, no-cache"]);
});

test.each([
  [{ htpasswd: "anna:pw" }, "Cannot use line 1 of the htpasswd file"],
  [{ tls: { cert: TEST_TLS.cert, key: "" } }, "Cannot use the private key for TLS"],
])("what cannot be used is refused before the store is touched: %j", async (options, message) => {
  await expect(start({ store: "/dev/null/store", ...options })).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: expect.stringContaining(message),
  });
});
