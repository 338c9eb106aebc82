import { expect, it } from "vitest";
import { connectV1 } from "../../../../../src/registry/v1/connect-v1.ts";
import { HubRepository } from "../../../../../src/registry/v1/hub/hub-repository.ts";
import type { V1Client } from "../../../../../src/registry/v1/v1-client.ts";
import { deleteV1Tag } from "../../../../../src/registry/v1/writing/delete-v1-tag.ts";
import { pushV1, type V1PushImage } from "../../../../../src/registry/v1/writing/push-v1.ts";
import { tagV1 } from "../../../../../src/registry/v1/writing/tag-v1.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { sha256 } from "../../../../support/memory-registry.ts";
import { fillImage, idOf } from "../../../../support/v1/fill-v1.ts";
import { V1Content } from "../../../../support/v1/v1-content.ts";
import type { V1Options } from "../../../../support/v1/v1-options.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const APP = { namespace: "team", name: "App" };
const HOME = "/nonexistent/home";

async function started(options: V1Options): Promise<{ server: V1Registry; client: V1Client }> {
  const server = await V1Registry.start(options);
  const user = options.user && { username: options.user.name, password: options.user.password };
  const env = { XDG_RUNTIME_DIR: HOME };
  const client = await connectV1(server.host, { home: HOME, root: HOME, env, attempts: 1, ...user });
  return { server, client };
}

/** A chain of three layers, as `fillImage` makes it. */
function image(isSized = true): V1PushImage {
  const content = new V1Content();
  const { ids } = fillImage(content, "team/App", "1.0");
  const chain = ids.map(id => {
    const { json, layer = Buffer.alloc(0) } = content.image(id);
    return {
      id,
      json,
      size: async (isNeeded: boolean) => (isSized || isNeeded ? layer.length : undefined),
      open: async function* () {
        yield layer.subarray(0, 700);
        yield layer.subarray(700);
      },
    };
  });
  return { tags: ["1.0", "latest"], id: ids.at(-1) ?? "", chain };
}

function tagsOf(server: V1Registry): object {
  return Object.fromEntries(server.content.repositories.get("team/App")?.tags ?? []);
}

const MANNERS: readonly V1Options[] = [
  { manner: "0.6" },
  { manner: "0.6", hasIndex: true },
  { manner: "0.8", user: { name: "ann", password: "secret" } },
  { manner: "0.8", hasIndex: true, user: { name: "ann", password: "secret" } },
  { manner: "0.9" },
  { manner: "0.9", hasIndex: true },
];

it.each(MANNERS)("pushes to a registry that is strict in order, checksums, cookies and tokens: %o", async options => {
  const { server, client } = await started(options);
  await pushV1(client, APP, [image()]);
  const { images } = server.content;
  expect(tagsOf(server)).toEqual({ "1.0": idOf("a"), latest: idOf("a") });
  expect([...images.values()].map(({ isInProgress }) => isInProgress)).toEqual([false, false, false]);
  for (const layer of image().chain) {
    expect(images.get(layer.id)?.json).toEqual(layer.json);
    for await (const part of layer.open()) expect(images.get(layer.id)?.layer?.includes(Buffer.from(part))).toBe(true);
  }
  for (const { headers } of server.requests) expect(headers["user-agent"]).toMatch(/^docker\/1\.9\.1 imgpack\//);
  server.requests.length = 0;
  await pushV1(client, APP, [image()]);
  expect(server.seen(/^PUT .*\/(?:layer|checksum)$/)).toEqual([]);
});

it("keeps the order of docker 1.9: announce, each layer parents first, tags, list", async () => {
  const { server, client } = await started({ manner: "0.9" });
  await pushV1(client, APP, [image()]);
  const layer = (digit: string): readonly string[] =>
    ["GET json", "PUT json", "PUT layer", "PUT checksum"].map(step => {
      const [method, part] = step.split(" ");
      return `${method} /v1/images/${idOf(digit)}/${part}`;
    });
  expect(server.lines).toEqual([
    "PUT /v1/repositories/team/App/",
    ...["c", "b", "a"].flatMap(layer),
    "PUT /v1/repositories/team/App/tags/1.0",
    "PUT /v1/repositories/team/App/tags/latest",
    "PUT /v1/repositories/team/App/images",
  ]);
  const [sent] = server.seen(/\/layer$/);
  expect(sent?.headers["content-length"]).toBe(String(sent?.body.length));
  const [announced, ...rest] = server.seen(/^PUT .*\/App\/(images)?$/);
  expect(JSON.parse(announced?.body.toString() ?? "")).toEqual([
    { id: idOf("c") },
    { id: idOf("b") },
    { id: idOf("a"), Tag: "1.0" },
    { id: idOf("a"), Tag: "latest" },
  ]);
  expect(rest[0]?.headers["x-docker-endpoints"]).toBe(server.host);
  expect(rest[0]?.body.toString()).toContain('"checksum":"sha256:');
});

it("sends a layer of unknown size in chunks, and measures it for a server that takes none", async () => {
  const { server, client } = await started({ manner: "0.8" });
  await pushV1(client, APP, [image(false)]);
  expect(server.seen(/\/layer$/)[0]?.headers["transfer-encoding"]).toBe("chunked");
  server.content.images.clear();
  server.requests.length = 0;
  server.addFault({ on: /\/layer$/, reply: { status: 411 } });
  await pushV1(client, APP, [image(false)]);
  expect(server.seen(/\/layer$/)[1]?.headers["content-length"]).toBe("2048");
  expect(tagsOf(server)).toEqual({ "1.0": idOf("a"), latest: idOf("a") });
});

it("sets no tag if any request before the tags fails, says so, and the next push completes it", async () => {
  const { server, client } = await started({ manner: "0.9", hasIndex: true });
  await pushV1(client, APP, [image()]);
  const lines = server.lines.filter(line => !line.includes("/tags/") && !line.startsWith("GET ")).slice(0, -1);
  expect(lines).toHaveLength(10);
  for (const line of lines) {
    for (const isReset of [true, false]) {
      server.content.images.clear();
      server.content.repositories.clear();
      const on = new RegExp(`^${line.replaceAll(".", "\\.")}$`);
      server.addFault({ on, times: 9, ...(isReset ? { isReset } : { reply: { status: 503 } }) });
      const notes: string[] = [];
      await failureOf(pushV1(client, APP, [image()], { onNote: note => notes.push(note) }));
      expect(tagsOf(server)).toEqual({});
      expect(notes.join("\n")).toContain("No tag was set in ");
      server.clearFaults();
      await pushV1(client, APP, [image()]);
      expect(tagsOf(server)).toEqual({ "1.0": idOf("a"), latest: idOf("a") });
    }
  }
});

it.each(["0.6", "0.9"] as const)(
  "asks for a new token when one that has worked ends in a push, once: %s",
  async manner => {
    const { server, client } = await started({ manner, hasIndex: true });
    const ended = { reply: { status: 401 }, onRequest: () => server.tokens.issued.clear() };
    const steps = [/^PUT .*a\/json$/, /^PUT .*a\/layer$/, /^PUT .*a\/checksum$/, /^PUT .*\/tags\/latest$/];
    for (const on of steps) {
      server.content.images.clear();
      server.content.repositories.clear();
      server.requests.length = 0;
      server.addFault({ on, ...ended });
      await pushV1(client, APP, [image()]);
      expect(tagsOf(server)).toEqual({ "1.0": idOf("a"), latest: idOf("a") });
      expect(server.seen(/^PUT .*\/App\/$/)).toHaveLength(2);
      expect(server.seen(/^PUT .*b\/layer$/)).toHaveLength(1);
    }
    server.requests.length = 0;
    server.addFault({ on: /^PUT .*\/tags\/latest$/, times: 9, ...ended });
    expect((await failureOf(pushV1(client, APP, [image()]))).name).toBe("AuthError");
    expect(server.seen(/^PUT .*\/App\/$/)).toHaveLength(2);
  },
);

it("does not take the web page that a host answers to everything for success", async () => {
  const { client } = await started({ gone: "html" });
  const attempts: readonly (() => Promise<unknown>)[] = [
    async () => await pushV1(client, APP, [image()]),
    async () => await tagV1(client, APP, "1.0", ["2.0"], () => undefined),
    async () => await deleteV1Tag(client, APP, "1.0"),
  ];
  for (const attempt of attempts) {
    const error = await failureOf(attempt());
    expect(error).toMatchObject({ exitCode: 8, message: expect.stringContaining("no longer serves the v1 API") });
  }
});

it("takes a layer that another push completes in the meantime", async () => {
  const { server, client } = await started({ manner: "0.9" });
  fillImage(server.content, "team/App", "0.9", "c");
  server.addFault({ on: /^GET .*c\/json$/, reply: { status: 404 } });
  await pushV1(client, APP, [image()]);
  expect(server.seen(/^PUT .*c\/json$/)[0]?.status).toBe(409);
  expect(server.seen(/^PUT .*c\/layer$/)).toEqual([]);
});

it.each([{ manner: "0.8" }, { manner: "0.9", hasIndex: true }] as const)(
  "an id that the registry has with other JSON: the same values are silent, a parent is a note, the image is exit 6: %o",
  async options => {
    const { server, client } = await started(options);
    await pushV1(client, APP, [image()]);
    server.content.repositories.clear();
    const notes: string[] = [];
    const push = async (): Promise<void> => await pushV1(client, APP, [image()], { onNote: note => notes.push(note) });
    const top = server.content.image(idOf("a"));
    const { json } = top;
    top.json = Buffer.from(
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json.toString())).reverse()), null, 1),
    );
    await push();
    expect(notes).toEqual([]);
    const parent = server.content.image(idOf("c"));
    parent.json = Buffer.from(parent.json.toString().replace("1.9.1", "1.9.0"));
    await push();
    // With an index, a token for writing does not show it.
    expect(notes).toEqual(
      server.options.hasIndex ? [] : [expect.stringContaining(`${idOf("c")} with other JSON, which is`)],
    );
    server.content.repositories.clear();
    top.json = Buffer.from(json.toString().replace("/file", "/evil"));
    const failure = await failureOf(push());
    expect(failure).toMatchObject({
      exitCode: 6,
      hint: expect.stringContaining(`remove images/${idOf("a")}`) as unknown,
    });
    for (const bytes of [top.json, json]) expect(failure.message).toContain(sha256(bytes));
    expect(tagsOf(server)).toEqual({});
  },
);

it("gives an image another tag, and deletes a tag and a repository", async () => {
  const { server, client } = await started({ manner: "0.8", user: { name: "ann", password: "secret" } });
  await pushV1(client, APP, [image()]);
  expect(await tagV1(client, APP, "1.0", ["2.0"], () => undefined)).toBe(idOf("a"));
  await deleteV1Tag(client, APP, "1.0");
  expect(tagsOf(server)).toEqual({ latest: idOf("a"), "2.0": idOf("a") });
  expect((await failureOf(deleteV1Tag(client, APP, "1.0"))).name).toBe("NotFoundError");
  await new HubRepository(client, APP, false, undefined).delete();
  expect(server.content.repositories.has("team/App")).toBe(false);
});

it("tags and deletes in a repository whose list of images is longer than other documents may be", async () => {
  const { server, client } = await started({ manner: "0.9" });
  await pushV1(client, APP, [image()]);
  const body = Buffer.from(JSON.stringify(Array.from({ length: 60_000 }, () => ({ id: idOf("a") }))));
  expect(body.length).toBeGreaterThan(4 * 1024 * 1024);
  server.addFault({ on: /^GET .*\/images$/, times: 2, change: () => ({ body }) });
  expect(await tagV1(client, APP, "1.0", ["2.0"], () => undefined)).toBe(idOf("a"));
  await deleteV1Tag(client, APP, "2.0");
  expect(tagsOf(server)).toEqual({ "1.0": idOf("a"), latest: idOf("a") });
});

it("deletes a repository of an index in three steps, each with the right credentials", async () => {
  const { server, client } = await started({ hasIndex: true, user: { name: "ann", password: "secret" } });
  await pushV1(client, APP, [image()]);
  server.requests.length = 0;
  const refused = await failureOf(deleteV1Tag(client, APP, "1.0"));
  expect(refused.name).toBe("AuthError");
  await new HubRepository(client, APP, false, undefined).delete();
  const steps = server.seen(/^DELETE .*App\/$/).map(({ server: role, headers, status }) => {
    return `${role} ${headers.authorization?.split(" ")[0]} ${status}`;
  });
  expect(steps).toEqual(["index Basic 202", "registry Token 200", "index Basic 200"]);
  expect(server.content.repositories.has("team/App")).toBe(false);
});
