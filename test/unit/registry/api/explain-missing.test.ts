import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import * as imgpack from "../../../../src/index.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { type Fault, json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { putImage, startListed } from "../../verbs/query/listed-registry.ts";

const TAGS = ["1.4.1", "1.4.2", "1.4.3", "1.5.0", "2.0.0", "old", "1.4.3-alpine"];
const LIST = /^GET \/v2\/app\/tags\/list/;
const always = (on: RegExp, reply: NonNullable<Fault["reply"]>): Fault => ({ on, times: 99, reply });

async function listed(tags: readonly string[], ...faults: readonly Fault[]): Promise<ScriptedRegistry> {
  return await startListed(tags, {}, { faults });
}

describe("a tag that the registry does not have", () => {
  test.each<[string, (name: string) => Promise<unknown>]>([
    ["digest()", async name => await imgpack.digest(name)],
    ["digest() of a platform", async name => await imgpack.digest(name, { platform: "linux/amd64" })],
    ["manifest()", async name => await imgpack.manifest(name)],
    ["rawManifest()", async name => await imgpack.rawManifest(name)],
    ["config()", async name => await imgpack.config(name)],
    ["inspectImage()", async name => await imgpack.inspectImage(name)],
    ["referrers()", async name => await imgpack.referrers(name)],
    ["tag()", async name => await imgpack.tag(name, ["other"])],
    ["deleteImage()", async name => await imgpack.deleteImage(name, { confirm: async () => true })],
    ["copy()", async name => await imgpack.copy(name, name.replace("/app", "/other"))],
    ["pull()", async name => await imgpack.pull([name], { output: join(await temporaryFolder(), "app.tar") })],
  ])("%s names the five nearest, after one more request", async (_name, read) => {
    const registry = await listed(TAGS);
    await expect(read(`${registry.host}/app:1.4.4`)).rejects.toMatchObject({
      code: "ERR_NOT_FOUND",
      exitCode: 5,
      message: expect.stringContaining("manifest 1.4.4 from"),
      hint: `${registry.host}/app has the tags "1.4.3", "1.4.2", "1.4.1", "1.5.0", "2.0.0" and others.`,
    });
    expect(registry.seen(LIST)).toHaveLength(1);
  });

  test.each([
    ["the tags, if there are few", ["1", "2"], 'has the tags "2", "1"'],
    ["the only tag", ["1"], 'has the tag "1"'],
    ["that there are none", [], "has no tags"],
  ])("the hint names %s", async (_what, tags, expected) => {
    const registry = await listed(tags);
    const hint = `${registry.host}/app ${expected}.`;
    await expect(imgpack.digest(`${registry.host}/app:9`)).rejects.toMatchObject({ hint });
  });

  test("the hint says that latest was assumed", async () => {
    const registry = await listed(["1"]);
    await expect(imgpack.config(`${registry.host}/app`)).rejects.toMatchObject({
      hint: `No tag was given, so "latest" was assumed; ${registry.host}/app has the tag "1".`,
    });
    await expect(imgpack.config(`${registry.host}/app:latest`)).rejects.toMatchObject({
      hint: `${registry.host}/app has the tag "1".`,
    });
  });

  test("entries of the list that are no tags are not shown", async () => {
    const registry = await listed(["\u001b[2Jx", "a\u202eb", "ok"]);
    await expect(imgpack.digest(`${registry.host}/app:9`)).rejects.toMatchObject({
      hint: `${registry.host}/app has the tag "ok".`,
    });
  });

  test.each<[string, Fault]>([
    ["refuses", always(LIST, { status: 401 })],
    ["fails", always(LIST, { status: 503 })],
    ["answers with a web page", always(LIST, { status: 200, body: Buffer.from("<html>") })],
  ])("a list that %s is asked for once, and changes nothing", async (_what, fault) => {
    const registry = await listed(TAGS, fault);
    const onProgress = vi.fn();
    await expect(imgpack.digest(`${registry.host}/app:9`, { onProgress })).rejects.toMatchObject({
      exitCode: 5,
      hint: undefined,
    });
    expect(registry.seen(LIST)).toHaveLength(1);
    expect(onProgress).not.toHaveBeenCalled();
  });

  test("the caller's signal ends the list", async () => {
    const controller = new AbortController();
    const registry = await listed(TAGS, { on: LIST, onRequest: () => controller.abort(), cut: "before" });
    const { signal } = controller;
    await expect(imgpack.digest(`${registry.host}/app:9`, { signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});

test("hundreds of images that are missing ask for few lists, and one repository's list is used again", async () => {
  const repositories = Array.from({ length: 40 }, (_, index) => `app${index % 20}`);
  const registry = await ScriptedRegistry.start({
    faults: [always(/^GET \/v2\/app\d+\/tags\/list/, json(200, { name: "app", tags: ["1.24", "1.24.10"] }))],
  });
  const { host } = registry;
  const names = repositories.map((repository, index) => `${host}/${repository}:1.24.${index}`);
  const error = await imgpack.copyTo(names, `${host}/mirror`, { concurrency: 1 }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const { failures } = error as imgpack.PartialError;
  expect(failures).toHaveLength(40);
  expect(failures.filter(({ hint }) => hint?.includes('"1.24.10"'))).toHaveLength(16);
  expect(registry.seen(/^GET \/v2\/app\d+\/tags\/list/)).toHaveLength(8);
});

test("a repository that the registry does not have is named", async () => {
  const unknown = json(404, { errors: [{ code: "NAME_UNKNOWN", message: "repository name not known to registry" }] });
  const registry = await listed([], always(LIST, unknown));
  const { host } = registry;
  const expected = { exitCode: 5, hint: `${host} has no repository "app": check its name.` };
  await expect(imgpack.digest(`${host}/app`)).rejects.toMatchObject(expected);
  await expect(imgpack.tags(`${host}/app`)).rejects.toMatchObject(expected);
  await expect(imgpack.blob(`${host}/app@sha256:${"0".repeat(64)}`, { output: "never" })).rejects.toMatchObject(
    expected,
  );
});

test("no list is asked for if the image is there, its platform is not, the registry refuses, or exists() asks", async () => {
  const registry = await listed(TAGS, always(/ \/v2\/app\/manifests\/secret/, { status: 401 }));
  putImage(registry.content, ["app:1"]);
  const { host } = registry;
  await imgpack.digest(`${host}/app:1`);
  await expect(imgpack.config(`${host}/app:1`, { platform: "linux/s390x" })).rejects.toMatchObject({ exitCode: 5 });
  await expect(imgpack.digest(`${host}/app:secret`)).rejects.toMatchObject({ exitCode: 4 });
  expect(await imgpack.exists(`${host}/app:9`)).toBe(false);
  expect(registry.seen(LIST)).toEqual([]);
});
