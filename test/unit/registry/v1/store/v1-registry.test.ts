// Reading from v1 registries in the manners of docker-registry 0.6, 0.8 and 0.9, and from hostile ones.
import { describe, expect, it, onTestFinished } from "vitest";
import { AuthError, IntegrityError, NetworkError, NotFoundError, RegistryError } from "../../../../../src/errors.ts";
import type { V1ConnectOptions } from "../../../../../src/registry/v1/connect-v1.ts";
import { openV1Registry, type V1Registry as Store } from "../../../../../src/registry/v1/store/open-v1-registry.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { fillImage, idOf } from "../../../../support/v1/fill-v1.ts";
import type { V1Answer } from "../../../../support/v1/v1-answer.ts";
import type { V1Options } from "../../../../support/v1/v1-options.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const APP = { namespace: "team", name: "App" };
const [TOP, MIDDLE, BASE] = [idOf("a"), idOf("b"), idOf("c")];
const LAYER = /^GET .*\/a{64}\/layer$/;

async function start(
  options: V1Options = {},
  connect: V1ConnectOptions = {},
): Promise<{ readonly server: V1Registry; readonly store: Store; readonly layer: Buffer }> {
  const server = await V1Registry.start({ isReadOnly: true, ...options });
  const { layers } = fillImage(server.content, "team/App", "1.0");
  const home = "/nonexistent/home";
  const store = await openV1Registry(server.host, { home, root: home, env: { XDG_RUNTIME_DIR: home }, ...connect });
  onTestFinished(async () => await store[Symbol.asyncDispose]());
  return { server, store, layer: layers.at(-1) ?? Buffer.alloc(0) };
}

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Uint8Array[] = [];
  for await (const part of parts) copies.push(part.slice());
  return Buffer.concat(copies);
}

async function namesOf(store: Store): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { namespace, name } of store.repositories()) names.push(`${namespace}/${name}`);
  return names;
}

describe.each(["0.6", "0.8", "0.9"] as const)("a registry in the manner of %s", manner => {
  it.each([false, true])("is read (with an index of its own: %s)", async hasIndex => {
    const { server, store, layer } = await start({ manner, hasIndex });
    const version = manner === "0.9" || hasIndex ? {} : { version: `${manner}.1`, config: "test" };
    expect(await store.ping()).toEqual({ ...version, standalone: "yes" });
    const session = await store.open(APP);
    expect(await store.open(APP)).toBe(session);
    expect(await session.tags()).toEqual(["1.0"]);
    expect(await session.tag("1.0")).toBe(TOP);
    expect(await session.ancestry(TOP)).toEqual([TOP, MIDDLE, BASE]);
    const image = server.content.image(TOP);
    const json = await session.json(TOP);
    expect({ ...json, bytes: Buffer.from(json.bytes) }).toEqual({
      id: TOP,
      bytes: image.json,
      checksums: image.checksums,
      size: layer.length,
    });
    const found = await session.layer(TOP);
    expect(found.size).toBe(manner === "0.6" ? undefined : layer.length);
    expect(await bytesOf(found.read())).toEqual(layer);
    expect(server.seen(/images$/)).toHaveLength(1);
    expect(store.requests).toBe(server.requests.length);
    await expect(session.tag("2.0")).rejects.toThrow(NotFoundError);
    // An index lets nobody ask for what it does not list.
    await expect(session.json(idOf("f"))).rejects.toThrow(hasIndex ? AuthError : NotFoundError);
    await expect(store.open({ ...APP, name: "none" })).rejects.toThrow(NotFoundError);
    expect(server.requests.every(({ headers }) => headers["if-modified-since"] === undefined)).toBe(true);
  });

  it.each([1, 100, -2, -1])("goes on where a layer broke off (after %i bytes)", async at => {
    const { server, store, layer } = await start({ manner });
    const cutAfter = at > 0 ? at : layer.length + at;
    server.addFault({
      on: LAYER,
      times: 2,
      change: answer => ({ cutAfter: Math.min(cutAfter, answer.body.length - 1) }),
    });
    const found = await (await store.open(APP)).layer(TOP);
    expect(await bytesOf(found.read())).toEqual(layer);
    const ranges = server.seen(LAYER).map(({ headers }) => headers.range);
    // Of one byte, none is ever asked for; all are closed.
    for (const range of ranges.filter(text => text !== undefined)) {
      const [, first = "", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      expect(Number(last)).toBe(layer.length - 1);
      expect(Number(first)).toBeLessThan(Number(last));
    }
    expect(ranges.filter(text => text !== undefined)).toHaveLength(manner === "0.6" ? 0 : ranges.length - 1);
  });

  it("begins a layer anywhere", async () => {
    const { store, layer } = await start({ manner });
    const session = await store.open(APP);
    for (const from of [layer.length, layer.length - 1, 7, 0]) {
      const found = await session.layer(TOP);
      if (found.size !== undefined || from < layer.length)
        expect(await bytesOf(found.read(from))).toEqual(layer.subarray(from));
    }
  });
});

describe("a v1 registry", () => {
  it("is read through redirects of layers, json and ancestry to another origin, with the checksum that it said itself", async () => {
    const { server, store, layer } = await start({ hasIndex: true, redirects: "all" });
    const session = await store.open(APP);
    expect(await session.ancestry(TOP)).toHaveLength(3);
    expect((await session.json(TOP)).checksums).toEqual(server.content.image(TOP).checksums);
    expect(await bytesOf((await session.layer(TOP)).read())).toEqual(layer);
    const elsewhere = server.requests.filter(request => request.server === "storage");
    expect(elsewhere).toHaveLength(3);
    for (const { headers } of elsewhere) {
      expect(Object.keys(headers).filter(name => /auth|cookie|docker/.test(name))).toEqual([]);
    }
  });

  it("resumes a layer when bytes come with the word, without it, as another range, or not at all", async () => {
    const { server, store, layer } = await start();
    const session = await store.open(APP);
    const cut = (): void => server.addFault({ on: LAYER, change: () => ({ cutAfter: 5 }) });
    const second = (change: (answer: V1Answer) => Partial<V1Answer>): void =>
      server.addFault({ on: LAYER, change: answer => change(answer) });
    const range = (text: string) => (answer: V1Answer) => ({ headers: { ...answer.headers, "content-range": text } });
    const changes = [
      range(`bytes 5-${layer.length - 1}/${layer.length}`),
      range(`5-${layer.length - 1}/*`),
      range(`bytes 6-${layer.length - 1}/${layer.length}`),
      () => ({ status: 416, body: Buffer.alloc(0), headers: {} }),
      () => ({ status: 200, body: layer, headers: {} }),
    ];
    for (const change of changes) {
      cut();
      second(change);
      expect(await bytesOf((await session.layer(TOP)).read())).toEqual(layer);
    }
  });

  it("refuses another layer in place of the one that broke off", async () => {
    const { server, store, layer } = await start();
    server.addFault({ on: LAYER, change: () => ({ cutAfter: 5 }) });
    server.addFault({ on: LAYER, change: () => ({ status: 200, body: layer.subarray(0, 100), headers: {} }) });
    const found = await (await store.open(APP)).layer(TOP);
    await expect(bytesOf(found.read())).rejects.toThrow(IntegrityError);
  });

  it("does not hold a run for ever with layers that break after each byte", async () => {
    const { server, store } = await start();
    let at = 0;
    server.addFault({
      on: LAYER,
      times: Number.POSITIVE_INFINITY,
      change: () => {
        at += 1;
        return { cutAfter: 1 };
      },
    });
    const error = await failureOf(bytesOf((await (await store.open(APP)).layer(TOP)).read()));
    expect(error).toBeInstanceOf(NetworkError);
    expect(at).toBeLessThan(120);
  });

  it.each(["object", "array"] as const)("lists tags as an %s", async tags => {
    const { server, store } = await start({ tags, lists: "empty" });
    server.content.addTag("team/App", "Latest-2", MIDDLE);
    server.content.repository("team/App").tags.set("no tag!", TOP);
    const session = await store.open(APP);
    // A rescue has to say that it cannot copy the last one.
    expect(await session.tags()).toEqual(["1.0", "Latest-2", "no tag!"]);
    expect(server.seen(/tags/)).toHaveLength(1);
  });

  it("lists 100,000 tags", async () => {
    const { server, store } = await start();
    const { tags } = server.content.repository("team/App");
    for (let build = 1; build < 100_000; build += 1) tags.set(`build-${build}`, TOP);
    expect(await (await store.open(APP)).tags()).toHaveLength(100_000);
  });

  it("has no tags: an empty object, or 404", async () => {
    const { server, store } = await start();
    server.content.repository("team/empty");
    const session = await store.open({ namespace: "team", name: "empty" });
    expect(await session.tags()).toEqual([]);
    server.addFault({
      on: /tags$/,
      reply: { status: 404, headers: {}, body: Buffer.from('{"error":"Repository not found"}') },
    });
    expect(await session.tags()).toEqual([]);
  });

  it.each([
    ['"abc"', /found id "abc", expected 64 or 16 hex digits/],
    [`"../../${TOP}"`, /found id "..\/../],
    ['"\\u001b[2J"', /found id "\\u\{1b\}\[2J"/],
    ["null", /found id "null"/],
    ['{"id":"x"}', /found id/],
    ["<html>sold</html>", /no longer serves the v1 API/],
    ["not json", /Cannot read tag 1.0 from/],
    ["[".repeat(100), /Cannot read tag 1.0 from/],
  ])("answers a tag with %s", async (body, message) => {
    const { server, store } = await start();
    const session = await store.open(APP);
    server.addFault({ on: /tags\/1.0$/, change: () => ({ body: Buffer.from(body) }) });
    const error = await failureOf(session.tag("1.0"));
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.message).toMatch(message);
    expect(server.seen(/images\/.*\/ancestry/)).toEqual([]);
  });

  it("has several checksums, sizes that mean nothing, and a JSON of 20 MiB", async () => {
    const { server, store } = await start();
    const image = server.content.image(TOP);
    image.checksums = ["tarsum+sha256:1", "sha256:2"];
    image.statedSize = -1;
    const session = await store.open(APP);
    expect(await session.json(TOP)).toMatchObject({ checksums: ["tarsum+sha256:1", "sha256:2"], size: undefined });
    image.json = Buffer.alloc(20 << 20, 0x20);
    await expect(session.json(TOP)).rejects.toThrow(/more than 4.0 MiB/);
    image.isInProgress = true;
    const error = await failureOf(session.json(TOP));
    expect(error).toMatchObject({ hint: expect.stringContaining("images/ID/_inprogress"), transient: false });
    await expect(session.ancestry("x/../y")).rejects.toThrow(RegistryError);
  });

  it("is asked for a new token when one that has worked is refused, and only then", async () => {
    const { server, store } = await start({ hasIndex: true });
    const session = await store.open(APP);
    server.tokens.issued.clear();
    await expect(session.tags()).rejects.toThrow(AuthError);
    expect(server.seen(/images$/)).toHaveLength(1);
    const other = await store.open({ namespace: "team", name: "App" });
    expect(other).toBe(session);
    const fresh = await start({ hasIndex: true });
    const again = await fresh.store.open(APP);
    await again.tags();
    fresh.server.tokens.issued.clear();
    const found = await Promise.all([again.tags(), again.json(TOP), again.ancestry(TOP)]);
    expect(found[0]).toHaveLength(1);
    expect(fresh.server.seen(/repositories\/team\/App\/images$/)).toHaveLength(2);
  });

  it("asks the next endpoint for what the first does not have, and stops at a tag that is not there", async () => {
    const { server, store } = await start({ hasIndex: true, endpoints: ["127.0.0.1:1"] });
    server.options = { ...server.options, endpoints: ["127.0.0.1:1", server.registryHost] };
    const session = await store.open(APP);
    expect(await session.tag("1.0")).toBe(TOP);
    await expect(session.tag("none")).rejects.toThrow(NotFoundError);
  });

  it.each([404, 405, 410, "html"] as const)("is gone (%s)", async gone => {
    const { server, store } = await start({ gone });
    for (const error of [
      await failureOf(store.open(APP)),
      await failureOf(store.ping()),
      await failureOf(namesOf(store)),
    ]) {
      expect(error.message).toContain(`${server.host} no longer serves the v1 API`);
      expect(error).toMatchObject({ exitCode: 8 });
    }
  });

  it.each(["absent", "nothing", "bad"] as const)("cannot be searched (%s)", async search => {
    const { store } = await start({ search });
    const error = await failureOf(namesOf(store));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ hint: expect.stringContaining("-f FILE") });
  });

  it.each(["all", "paged"] as const)("is searched (%s)", async search => {
    const notes: string[] = [];
    const { server, store } = await start({ search }, { onNote: text => notes.push(text) });
    for (let count = 0; count < 250; count += 1) server.content.repository(`many/name${count}`);
    server.content.repository("odd/na\u001bme");
    expect(await namesOf(store)).toHaveLength(251);
    expect(notes).toEqual([expect.stringContaining('lists "odd/na\\u{1b}me", which is no repository')]);
  });

  it.each([
    ["http://169.254.169.254/latest/meta-data", /link-local or reserved address/],
    ["http://[fd00:ec2::254]/", /link-local or reserved address/],
    ["file:///etc/passwd", /other scheme or no host/],
    ["", /empty, expected a plain/],
    ["SELF", /redirect/],
  ])("is not followed to %j", async (location, message) => {
    const { server, store } = await start({ hasIndex: true });
    const session = await store.open(APP);
    const self = `http://${server.registryHost}/v1/images/${TOP}/json`;
    const headers = { location: location === "SELF" ? self : location };
    server.addFault({ on: /\/(json|layer)$/, times: 9, reply: { status: 302, headers, body: Buffer.alloc(0) } });
    for (const error of [await failureOf(session.json(TOP)), await failureOf(session.layer(TOP))]) {
      expect(error).toBeInstanceOf(RegistryError);
      expect(error.message).toMatch(message);
    }
  });

  it("does not search pages without end", async () => {
    const { server, store } = await start();
    const same = { results: [{ name: "team/App" }], num_results: 1e9, num_pages: 1e9 };
    server.addFault({
      on: /search/,
      times: Number.POSITIVE_INFINITY,
      change: () => ({ body: Buffer.from(JSON.stringify(same)) }),
    });
    expect(await namesOf(store)).toEqual(["team/App"]);
    expect(server.seen(/search/)).toHaveLength(2);
  });
});
