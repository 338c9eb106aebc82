import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { tags } from "../../../../src/verbs/query/tags.ts";
import { json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { type Paging, putImage, startListed } from "./listed-registry.ts";

const MANY = Array.from({ length: 2500 }, (_, place) => `t${String(place).padStart(4, "0")}`);

async function listed(host: string, options = {}): Promise<readonly string[]> {
  return (await tags(`${host}/app`, options)).tags.map(({ tag }) => tag);
}

describe("tags()", () => {
  test.each<[string, Paging, number]>([
    ["pages of the size that was asked for", {}, 3],
    ["pages that are smaller", { most: 300 }, 9],
    ["everything at once, whatever was asked", { ignoresQuery: true }, 2],
    ["full pages without a Link", { noLink: true }, 3],
  ])("tags() lists 2,500 tags of a registry that sends %s", async (_name, paging, requests) => {
    const registry = await startListed(MANY, paging);
    expect(await listed(registry.host)).toEqual(MANY);
    expect(registry.requests).toHaveLength(requests);
  });

  test("tags() asks for no more than --limit, and stops there", async () => {
    const registry = await startListed(MANY, { most: 4 });
    expect(await listed(registry.host, { limit: 10 })).toEqual(MANY.slice(0, 10));
    expect(registry.requests.map(({ path }) => path)).toEqual([
      "/v2/app/tags/list?n=10",
      "/v2/app/tags/list?last=t0003&n=4",
      "/v2/app/tags/list?last=t0007&n=4",
    ]);
  });

  test("A-06 tags() refuses a page link to another origin, and asks nothing there", async () => {
    const other = await ScriptedRegistry.start();
    for (const link of [`<${other.url}/v2/app/tags/list?last=a>; rel="next"`, `<//evil.example/x>; rel=next`]) {
      const answer = json(200, { tags: ["a"] });
      const reply = { ...answer, headers: { ...answer.headers, link } };
      const registry = await ScriptedRegistry.start({ faults: [{ on: /tags\/list/, reply }] });
      await expect(listed(registry.host)).rejects.toMatchObject({
        exitCode: 8,
        message: expect.stringMatching(
          /^Cannot follow page link ".*" from 127\.0\.0\.1:\d+: another origin, expected http/,
        ),
      });
      expect(registry.requests).toHaveLength(1);
    }
    expect(other.requests).toHaveLength(0);
  });

  test("A-06 tags() ends at links that go in a circle", async () => {
    const page = (entries: readonly string[], next: string): object => {
      const answer = json(200, { tags: entries });
      return { ...answer, headers: { ...answer.headers, link: `</v2/app/tags/list?at=${next}>; rel="next"` } };
    };
    const circle = await ScriptedRegistry.start({
      faults: [
        { on: /list\?n=/, reply: page(["a"], "2"), times: 9 },
        { on: /at=2$/, reply: page(["b"], "3"), times: 9 },
        { on: /at=3$/, reply: page(["c"], "2"), times: 9 },
      ],
    });
    await expect(listed(circle.host)).rejects.toMatchObject({ exitCode: 8 });
    expect(circle.requests).toHaveLength(3);
    const same = await ScriptedRegistry.start({ faults: [{ on: /list/, reply: page(["a"], "x"), times: 99 }] });
    expect(await listed(same.host)).toEqual(["a"]);
    expect(same.requests).toHaveLength(2);
  });

  test("tags() goes on behind the last tag where a Link leads nowhere", async () => {
    const answer = json(200, { tags: ["a", "b"] });
    const link = `</repository/inner/v2/app/tags/list?last=b>; rel="next"`;
    const registry = await ScriptedRegistry.start({
      faults: [
        { on: /^GET \/v2\/app\/tags\/list\?n=1000$/, reply: { ...answer, headers: { ...answer.headers, link } } },
        { on: /^GET \/repository/, reply: json(400, {}) },
        { on: /^GET \/v2\/app\/tags\/list\?n=1000&last=b$/, reply: json(200, { tags: ["c"] }) },
      ],
    });
    expect(await listed(registry.host)).toEqual(["a", "b", "c"]);
  });

  test("tags() asks without a page size where the size is refused", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [
        { on: /list\?n=/, reply: json(400, { errors: [{ code: "UNSUPPORTED", message: "n is too large" }] }) },
        { on: /list$/, reply: json(200, { tags: ["a"] }) },
      ],
    });
    expect(await listed(registry.host)).toEqual(["a"]);
  });

  test("tags() leaves out nulls, digests and what would steer a terminal", async () => {
    const strange = ["1.0", null, "", `sha256:${"a".repeat(64)}`, "\u001b[31mred", "../x", 7, "1.0", "ok"];
    const registry = await startListed(strange, { ignoresQuery: true });
    expect(await listed(registry.host)).toEqual(["1.0", "ok"]);
    const none = await ScriptedRegistry.start({
      faults: [{ on: /list/, reply: json(200, { name: "app", tags: null }) }],
    });
    expect(await listed(none.host)).toEqual([]);
  });

  test("tags() says what is wrong: no such repository, no list, a page of more than 4 MiB", async () => {
    const unknown = await ScriptedRegistry.start();
    await expect(listed(unknown.host)).rejects.toMatchObject({ exitCode: 5 });
    const html = { headers: { "content-type": "text/html" }, body: Buffer.from("<html>log in</html>"), status: 200 };
    const login = await ScriptedRegistry.start({ faults: [{ on: /list/, reply: html }] });
    await expect(listed(login.host)).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringContaining("text/html"),
    });
    const body = Buffer.alloc(5 * 1024 * 1024, 0x20);
    const huge = await ScriptedRegistry.start({ faults: [{ on: /list/, reply: { status: 200, body } }] });
    await expect(listed(huge.host)).rejects.toMatchObject({ exitCode: 8 });
  });

  test("tags() sorts by version and by name", async () => {
    const registry = await startListed(["1.9.0", "latest", "1.10.0", "1.10.0-rc.1", "dev"]);
    expect(await listed(registry.host, { sort: "semver" })).toEqual([
      "1.10.0",
      "1.10.0-rc.1",
      "1.9.0",
      "dev",
      "latest",
    ]);
    expect(await listed(registry.host, { sort: "semver", limit: 1 })).toEqual(["1.10.0"]);
    expect(await listed(registry.host, { sort: "name" })).toEqual(["1.10.0", "1.10.0-rc.1", "1.9.0", "dev", "latest"]);
    await expect(listed(registry.host, { sort: "size" })).rejects.toMatchObject({ exitCode: 2 });
    await expect(listed(registry.host, { limit: 0 })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("tags() sorts by the time that images were built, each image read once", async () => {
    const registry = await startListed(["old", "new", "alias", "gone", "undated"]);
    const { content } = registry;
    putImage(content, ["app:old"], { created: "2020-01-01T00:00:00Z" });
    putImage(content, ["app:new", "app:alias"], { created: "2024-06-01T12:00:00+02:00" });
    putImage(content, ["app:undated"]);
    const notes: string[] = [];
    const steps: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === "note") notes.push(event.message);
      else if (event.kind === "step") steps.push(event);
    };
    const result = await tags(`${registry.host}/app`, { sort: "time", onProgress });
    expect(result.tags.map(({ tag, created }) => [tag, created])).toEqual([
      ["alias", "2024-06-01T12:00:00+02:00"],
      ["new", "2024-06-01T12:00:00+02:00"],
      ["old", "2020-01-01T00:00:00Z"],
      ["gone", undefined],
      ["undated", undefined],
    ]);
    expect(registry.seen(/^GET .*\/blobs\//)).toHaveLength(3);
    expect(notes).toEqual([expect.stringMatching(/^gone has no date: Cannot read manifest gone/)]);
    const total = steps.length - 1;
    expect(steps[0]).toEqual({ kind: "step", step: "names", done: total });
    expect(steps.at(-1)).toEqual({ kind: "step", step: "configs", done: total, total });
  });

  test("tags() wants a repository, and tells a host from one", async () => {
    await expect(tags("registry.lan/app:1")).rejects.toMatchObject({ exitCode: 2 });
    await expect(tags("registry.lan:5000")).rejects.toMatchObject({
      hint: "Name a repository of it: registry.lan:5000/REPOSITORY.",
    });
  });
});
