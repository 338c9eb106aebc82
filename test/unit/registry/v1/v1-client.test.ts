// The client of the v1 protocol: what is sent where, and what becomes of endpoints that fail.
import { describe, expect, it, onTestFinished } from "vitest";
import { AuthError, NotFoundError, RegistryError, UsageError } from "../../../../src/errors.ts";
import { connectV1, type V1ConnectOptions } from "../../../../src/registry/v1/connect-v1.ts";
import type { V1Client } from "../../../../src/registry/v1/v1-client.ts";
import { CANARIES, expectNoCanary, failureOf, written, writtenError } from "../../../support/canaries.ts";
import { type Fault, json, ScriptedRegistry } from "../../../support/scripted-registry.ts";

const APP = { namespace: "library", name: "App" };
const LOGIN = { username: "me", password: CANARIES.password };
const IMAGES = { verb: "read", what: "images", method: "GET", path: "repositories/library/App/images" } as const;
const TAGS = {
  verb: "read",
  what: "tags",
  method: "GET",
  path: "repositories/library/App/tags",
  accept: [200],
} as const;
const TOKEN = `signature=${CANARIES.bearer},repository="library/App",access=read`;
const always = Number.POSITIVE_INFINITY;

/** Answers to what was asked. */
function answer(on: RegExp, status: number, value: unknown, headers: Record<string, string | string[]> = {}): Fault {
  const reply = json(status, value);
  return {
    on,
    times: always,
    reply: { ...reply, headers: { ...reply.headers, ...(headers as Record<string, string>) } },
  };
}

async function clientOf(host: string, options: V1ConnectOptions = {}): Promise<V1Client> {
  const home = "/nonexistent/home";
  const client = await connectV1(host, { home, root: home, attempts: 1, env: { XDG_RUNTIME_DIR: home }, ...options });
  onTestFinished(async () => await client[Symbol.asyncDispose]());
  return client;
}

describe("V1Client", () => {
  it("sends Basic to the index, the token and cookies to the endpoint, and none of them to another origin", async () => {
    const storage = await ScriptedRegistry.start({ faults: [answer(/./, 200, {}, { "set-cookie": "foreign=1" })] });
    const endpoint = await ScriptedRegistry.start({
      faults: [
        answer(/tags$/, 302, {}, { location: `${storage.url}/elsewhere` }),
        answer(/ancestry$/, 200, [], { "set-cookie": `session=${CANARIES.refresh}; Path=/; HttpOnly` }),
      ],
    });
    const index = await ScriptedRegistry.start({
      faults: [
        answer(/images$/, 200, [], {
          "x-docker-token": `Token ${TOKEN}`,
          "x-docker-endpoints": endpoint.host,
          "set-cookie": `index=${CANARIES.helper}`,
        }),
      ],
    });
    const client = await clientOf(index.host, LOGIN);
    const repository = client.repository(APP);
    await repository.callIndex({ ...IMAGES, accept: [200] });
    await repository.call({ ...TAGS, path: "images/x/ancestry", what: "ancestry" });
    await repository.call(TAGS);
    await repository.call({ ...TAGS, path: "images/x/ancestry", what: "ancestry" });
    expect(index.requests[0]?.headers).toMatchObject({
      "x-docker-token": "true",
      authorization: `Basic ${Buffer.from(`me:${CANARIES.password}`).toString("base64")}`,
      "user-agent": expect.stringMatching(/^docker\/1\.9\.1 imgpack\/\S+$/),
    });
    const authorizations = endpoint.requests.map(({ headers }) => headers.authorization);
    expect(new Set(authorizations)).toEqual(new Set([`Token ${TOKEN}`]));
    expect(endpoint.requests.map(({ headers }) => headers.cookie)).toEqual([
      undefined,
      `session=${CANARIES.refresh}`,
      `session=${CANARIES.refresh}`,
    ]);
    expect(endpoint.requests[0]?.headers["x-docker-token"]).toBeUndefined();
    expectNoCanary(written(storage.requests));
    expect(storage.requests[0]?.headers).not.toHaveProperty("cookie");
    // Another repository starts without cookies.
    await client.repository({ ...APP, name: "other" }).callIndex({ ...IMAGES, accept: [200] });
    expect(index.requests.at(-1)?.headers.cookie).toBeUndefined();
  });

  it("asks the next endpoint when one is dead, first from then on, and lists all when none answers", async () => {
    const dead = await ScriptedRegistry.start();
    await dead.close();
    const alive = await ScriptedRegistry.start({ faults: [answer(/tags$/, 200, {})] });
    const endpoints = ["169.254.169.254", `${dead.host}, ${alive.host}`];
    const index = await ScriptedRegistry.start({
      faults: [answer(/images$/, 200, [], { "x-docker-endpoints": endpoints })],
    });
    const repository = (await clientOf(index.host)).repository(APP);
    await repository.callIndex({ ...IMAGES, accept: [200] });
    expect(repository.endpoints).toEqual(["169.254.169.254", dead.host, alive.host]);
    expect((await repository.call(TAGS)).status).toBe(200);
    expect(repository.endpoints[0]).toBe(alive.host);
    alive.addFault(answer(/ancestry$/, 500, {}));
    const error = await failureOf(repository.call({ ...TAGS, path: "images/x/ancestry", what: "ancestry" }));
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.message).toContain("none of its 3 endpoints");
    expect(error.message).toContain(`${dead.host}: connection refused`);
    expect(error.message).toContain("169.254.169.254: a link-local or reserved address");
    expect(error.message).toContain(`${alive.host}: status 500`);
  });

  it("uses the endpoint that the user chose, and the path before /v1", async () => {
    const chosen = await ScriptedRegistry.start({ faults: [answer(/tags$/, 200, {})] });
    const index = await ScriptedRegistry.start({
      faults: [answer(/images$/, 200, [], { "x-docker-endpoints": "other.example" })],
    });
    const client = await clientOf(index.host, { endpoint: chosen.host, v1Path: "/artifactory/api/docker/old/" });
    const repository = client.repository(APP);
    await repository.callIndex({ ...IMAGES, accept: [200] });
    await repository.call(TAGS);
    expect(index.requests[0]?.path).toBe("/artifactory/api/docker/old/v1/repositories/library/App/images");
    expect(chosen.requests[0]?.path).toBe("/artifactory/api/docker/old/v1/repositories/library/App/tags");
    await expect(clientOf(index.host, { v1Path: "/a/../b" })).rejects.toThrow(UsageError);
    await expect(clientOf(index.host, { endpoint: "http://x" })).rejects.toThrow(UsageError);
  });

  it("sends Basic to a registry behind the proxy that wants it, although the registry has made up a token", async () => {
    const basic = `Basic ${Buffer.from(`me:${CANARIES.password}`).toString("base64")}`;
    const refusal: Fault = {
      ...answer(/tags$/, 401, {}, { "www-authenticate": 'Basic realm="old"' }),
      when: ({ headers }) => headers.authorization !== basic,
    };
    const server = await ScriptedRegistry.start({
      faults: [refusal, answer(/images$/, 200, [], { "x-docker-token": TOKEN }), answer(/tags$/, 200, {})],
    });
    const client = await clientOf(server.host, LOGIN);
    const repository = client.repository(APP);
    await repository.callIndex({ ...IMAGES, accept: [200] });
    await repository.call(TAGS);
    await repository.call(TAGS);
    expect(server.seen(/tags$/).map(({ headers }) => headers.authorization)).toEqual([`Token ${TOKEN}`, basic, basic]);
  });

  it.each([
    [410, "gone", "text/plain"],
    [405, "", "text/plain"],
    [404, "<!DOCTYPE html><title>Not here</title>", "text/html"],
    [404, "404 page not found\n", "text/plain"],
  ])("says that a host no longer serves the API (%i %j)", async (status, body, type) => {
    const fault = {
      on: /./,
      times: always,
      reply: { status, headers: { "content-type": type }, body: Buffer.from(body) },
    };
    const server = await ScriptedRegistry.start({ faults: [fault] });
    const error = await failureOf((await clientOf(server.host)).call({ ...IMAGES, accept: [200] }));
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.message).toContain(`${server.host} no longer serves the v1 API`);
  });

  it("keeps secrets out of errors, though the server sends them back", async () => {
    const echo = JSON.stringify({ error: `bad ${TOKEN} of ${CANARIES.refresh}, ${CANARIES.password}` });
    const server = await ScriptedRegistry.start({
      faults: [
        answer(/images$/, 200, [], { "x-docker-token": TOKEN, "set-cookie": `session=${CANARIES.refresh}` }),
        { on: /tags$/, times: always, reply: { status: 401, headers: {}, body: Buffer.from(echo) } },
      ],
    });
    const repository = (await clientOf(server.host, LOGIN)).repository(APP);
    await repository.callIndex({ ...IMAGES, accept: [200] });
    const error = await failureOf(repository.call(TAGS));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toContain("[redacted]");
    expectNoCanary(writtenError(error));
    // The part of the token that says nothing alone.
    expect(error.message).not.toContain("access=read");
  });

  it("says whose token an endpoint refuses, and asks no repository at an endpoint that was dead before", async () => {
    const dead = await ScriptedRegistry.start();
    await dead.close();
    const strict = await ScriptedRegistry.start({ faults: [answer(/tags$/, 401, { error: "no" })] });
    const headers = { "x-docker-token": TOKEN, "x-docker-endpoints": [dead.host, strict.host] };
    const index = await ScriptedRegistry.start({ faults: [answer(/images$/, 200, [], headers)] });
    const client = await clientOf(index.host, LOGIN);
    const first = client.repository(APP);
    await first.callIndex({ ...IMAGES, accept: [200] });
    const error = await failureOf(first.call(TAGS));
    expect(error).toMatchObject({ hint: expect.stringContaining(`depends on the token of ${index.host}`) });
    const other = client.repository({ ...APP, name: "other" });
    await other.callIndex({ ...IMAGES, accept: [200] });
    const second = await failureOf(other.call(TAGS));
    expect(second.message.indexOf(strict.host)).toBeLessThan(second.message.indexOf(dead.host));
  });

  it.each([
    [401, '{"error":"wrong password"}', AuthError, "status 401"],
    [403, '"Account is not Active"', AuthError, "account not active"],
    [404, '{"error":"Repository not found"}', NotFoundError, "Repository not found"],
    [400, '{"error":"Image is being uploaded, retry later"}', RegistryError, "being uploaded"],
  ])("says what a refusal means (%i %s)", async (status, body, kind, text) => {
    const headers = { "content-type": "application/json" };
    const fault = { on: /./, times: always, reply: { status, headers, body: Buffer.from(body) } };
    const server = await ScriptedRegistry.start({ faults: [fault] });
    const error = await failureOf((await clientOf(server.host)).call({ ...IMAGES, accept: [200] }));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(text);
    // "imgpack login" asks for /v2/.
    const login = `run "imgpack hub login v1://${server.host}"`;
    if (text === "status 401") expect(error).toMatchObject({ hint: expect.stringContaining(login) });
  });

  it("refuses a document of 20 MiB and names that must not become part of a request", async () => {
    const server = await ScriptedRegistry.start({
      faults: [{ on: /./, reply: { status: 200, headers: {}, body: Buffer.alloc(20 << 20, 0x20) } }],
    });
    const client = await clientOf(server.host);
    await expect(client.call({ ...IMAGES, accept: [200] })).rejects.toThrow(/more than 4.0 MiB/);
    expect(() => client.repository({ namespace: "..", name: "x" })).toThrow(UsageError);
    expect(() => client.repository({ namespace: "a/b", name: "x?y" })).toThrow(UsageError);
  });
});
