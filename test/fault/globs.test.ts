// Wildcards in references: over the tags of a repository, and over the repositories of a registry.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyTo, inspect, lock, matchImages, pull, tags } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { json, ScriptedRegistry } from "../support/scripted-registry.ts";
import { listing, putImage } from "../unit/verbs/query/listed-registry.ts";

ownEnvironment();

const SIGNATURE = `sha256-${"a".repeat(64)}.sig`;

/** team/app has 1.0, 1.1 and 2.0, team/db and other/app have 1.0; team/gone is listed and has nothing. In pages of two. */
async function start(): Promise<ScriptedRegistry> {
  const repositories = { "team/app": ["1.0", "1.1", SIGNATURE, "2.0"], "team/db": ["1.0"], "other/app": ["1.0"] };
  const lists = Object.entries(repositories).map(([name, found]) =>
    listing(new RegExp(`^GET /v2/${name}/tags/list`), "tags", found, { most: 2 }),
  );
  const names = ["team/app", "team/db", "team/gone", "other/app", "Bad Name"];
  const registry = await ScriptedRegistry.start({
    faults: [...lists, listing(/^GET \/v2\/_catalog/, "repositories", names, { most: 2 })],
  });
  for (const [name, found] of Object.entries(repositories)) {
    for (const tag of found) putImage(registry.content, [`${name}:${tag}`], { layers: [seededBytes(name + tag, 50)] });
  }
  return registry;
}

async function output(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

describe("wildcards", () => {
  test.each([
    ["team/app:1.*", ["team/app:1.0", "team/app:1.1"]],
    ["team/app:?.0", ["team/app:1.0", "team/app:2.0"]],
    ["team/app:*", ["team/app:1.0", "team/app:1.1", "team/app:2.0"]],
    ["team/*", ["team/app:1.0", "team/app:1.1", "team/app:2.0", "team/db:1.0"]],
    ["**/app:1.*", ["team/app:1.0", "team/app:1.1", "other/app:1.0"]],
    ["**:1.0", ["team/app:1.0", "team/db:1.0", "other/app:1.0"]],
    ["t??m/d*", ["team/db:1.0"]],
  ])("%s", async (glob, expected) => {
    const { host } = await start();
    const { references } = await matchImages([`${host}/${glob}`]);
    expect(references).toEqual(expected.map(name => `${host}/${name}`));
  });

  test("each list is read once, its images are taken once, and what matched is counted", async () => {
    const registry = await start();
    const { host } = registry;
    const notes: string[] = [];
    const out = await output();
    await pull([`${host}/team/*`, `${host}/**:1.0`, `${host}/team/app:1.?`, `${host}/team/db:1.0`], {
      output: out,
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
    expect((await inspect(out)).images.flatMap(({ names }) => names)).toEqual(
      ["other/app:1.0", "team/app:1.0", "team/app:1.1", "team/app:2.0", "team/db:1.0"].map(name => `${host}/${name}`),
    );
    expect(notes).toEqual(
      expect.arrayContaining([
        `"${host}/team/*" matches 4 tags in 2 repositories`,
        `"${host}/**:1.0" matches 3 tags in 3 repositories`,
        `"${host}/team/app:1.?" matches 2 tags`,
      ]),
    );
    const listed = registry.seen(/^GET .*(?:tags\/list|_catalog)/).map(({ path }) => path);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter(path => path.includes("team/app/"))).toHaveLength(2);
  });

  test("a list may have them, with platforms and a new name", async () => {
    const { host } = await start();
    const path = await fileWith(Buffer.from(`${host}/team/app:1.* linux/amd64 -> r.lan/web\n`));
    const out = await output();
    expect(await runCommand("pull", "-f", path, "-o", out, "--platform", "linux/arm64")).toMatchObject({ exitCode: 0 });
    expect((await inspect(out)).images.map(({ names }) => names[0])).toEqual(["r.lan/web:1.0", "r.lan/web:1.1"]);
  });

  test("no match is an error, with exit code 5", async () => {
    const { host } = await start();
    const run = await runCommand("pull", `${host}/team/app:9*`, "-o", await output());
    expect(run.exitCode).toBe(5);
    expect(said(run)[0]).toBe(`Cannot find "${host}/team/app:9*": none of 4 tags matches, expected one`);
    await expect(lock([`${host}/none/*`])).rejects.toMatchObject({
      exitCode: 5,
      message: `Cannot find "${host}/none/*": none of 0 tags in 0 repositories matches, expected one`,
    });
    await expect(tags(`${host}/team/app:9*`)).rejects.toMatchObject({ exitCode: 5 });
  });

  test("a registry without a list of repositories is a clear error", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /_catalog/, times: 9, reply: json(404, { errors: [{ code: "UNSUPPORTED", message: "no" }] }) }],
    });
    const run = await runCommand("lock", `${registry.host}/**`);
    expect(run.exitCode).toBe(5);
    expect(said(run)[1]).toMatch(/^Many registries have no list of repositories/);
  });

  test("a registry that is down does not stop the others with --keep-going, nor a copy", async () => {
    const { host } = await start();
    const out = await output();
    const words = ["--retry", "0", "--keep-going", "--failed-list", `${out}.failed`];
    const run = await runCommand("pull", "127.0.0.1:9/**", `${host}/team/app:1.*`, "-o", out, ...words);
    expect(run.exitCode).toBe(10);
    expect(said(run)[0]).toMatch(/^Cannot pull 1 of 3 images: /);
    expect((await inspect(out)).images).toHaveLength(2);
    const to = await ScriptedRegistry.start();
    const copying = copyTo(["127.0.0.1:9/**", `${host}/team/app:1.*`], `${to.host}/mirror`, {
      registry: { retry: { count: 0 } },
    });
    await expect(copying).rejects.toMatchObject({
      exitCode: 10,
      failed: ["127.0.0.1:9/**"],
      result: { images: [{ source: `${host}/team/app:1.0` }, { source: `${host}/team/app:1.1` }] },
    });
    await expect(pull(["127.0.0.1:9/**"], { output: out, registry: { retry: { count: 0 } } })).rejects.toMatchObject({
      exitCode: 7,
    });
  });

  test("lock has all that a registry has", async () => {
    const { host } = await start();
    const { images } = await lock([`${host}/**`], { platform: "all" });
    expect(images.map(({ name }) => name)).toHaveLength(5);
  });
});

describe("imgpack tags", () => {
  test("lists the tags that match, and the names of several repositories", async () => {
    const { host } = await start();
    const one = await runCommand("tags", `${host}/team/app:1.*`, "--sort", "semver", "--limit", "1");
    expect(one.stdout).toBe("1.1\n");
    const several = await runCommand("tags", `${host}/**:1.0`, "--limit", "2");
    expect(several.stdout).toBe(`${host}/team/app:1.0\n${host}/team/db:1.0\n`);
    const asJson = await runCommand("tags", `${host}/other/*`, "--json");
    expect(JSON.parse(asJson.stdout)).toEqual({ references: [`${host}/other/app:1.0`] });
    expect((await runCommand("tags", `${host}/**`, "--sort", "semver")).exitCode).toBe(2);
  });
});

test("copy -f gives a registry of the list neither credentials nor --plain-http", async () => {
  const { host } = await start();
  const path = await fileWith(Buffer.from(`${host}/team/app:1.0\n`));
  const to = await ScriptedRegistry.start();
  const run = await runCommand("copy", "-f", path, "--to", to.host, "--plain-http");
  expect(run.exitCode).toBe(2);
  expect(said(run)[0]).toContain(`Cannot use --plain-http for ${host}`);
});
