// Manifests of earlier runs: what a registry that answers otherwise makes of them.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AuthError, type ImgpackError, lock, NotFoundError, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";
import { type StoredIndex, storeIndex } from "./lock-support.ts";

interface Scene {
  readonly registry: ScriptedRegistry;
  readonly reference: string;
  readonly stored: StoredIndex;
  readonly folder: string;
  readonly text: string;
  /** Locks the image again. */
  readonly again: () => Promise<string>;
}

/** A registry, and a cache that knows its image. */
async function scene(options: ScriptOptions = {}, name = "team/one"): Promise<Scene> {
  const registry = await ScriptedRegistry.start(options);
  const stored = storeIndex(registry.content, `${name}:1`);
  const folder = await temporaryFolder();
  const reference = `${registry.host}/${name}:1`;
  const given = { platform: "linux/amd64", referrers: false, cacheDir: join(folder, "cache") };
  const again = async (): Promise<string> => (await lock([reference], given)).text;
  const text = await again();
  registry.requests.length = 0;
  return { registry, reference, stored, folder, text, again };
}

/** What was asked of manifests: method, and tag or "DIGEST". */
function asked(registry: ScriptedRegistry): readonly string[] {
  const seen = registry.seen(/\/manifests\//);
  return seen.map(({ method, path }) => `${method} ${/sha256:/.test(path) ? "DIGEST" : path.split("/").at(-1)}`);
}

const failure = async (running: Promise<unknown>): Promise<ImgpackError> =>
  await running.then(
    () => expect.unreachable("it did not fail"),
    (error: ImgpackError) => error,
  );

const headless = (headers: Readonly<Record<string, string>>): NonNullable<Fault["change"]> => {
  return reply => ({ headers: { "content-type": reply.headers["content-type"] ?? "", ...headers } });
};

describe("a registry whose answer to a HEAD says nothing of use is asked by GET, once per tag", () => {
  test.each<[string, Omit<Fault, "on">]>([
    ["405", { reply: { status: 405 } }],
    ["404 for what is there", { reply: { status: 404 } }],
    ["403", { reply: { status: 403 } }],
    ["500", { reply: { status: 500 } }],
    ["a closed connection", { cut: "before" }],
    ["no digest", { change: headless({}) }],
    ["a digest that is none", { change: headless({ "docker-content-digest": "sha256:../../etc" }) }],
  ])("%s", async (_, fault) => {
    const { registry, text, again } = await scene();
    registry.addFault({ on: /^HEAD/, times: 99, ...fault });
    expect(await again()).toBe(text);
    expect(asked(registry)).toEqual(["HEAD 1", "GET 1"]);
  });
});

test("a registry that has refused one HEAD is not sent another one", async () => {
  const { registry, folder } = await scene();
  const references = Array.from({ length: 12 }, (_, index) => {
    storeIndex(registry.content, `team/one:v${index}`);
    return `${registry.host}/team/one:v${index}`;
  });
  const options = { platform: "linux/amd64", referrers: false, cacheDir: join(folder, "cache") };
  await lock(references, options);
  registry.requests.length = 0;
  registry.addFault({ on: /^HEAD/, times: 99, reply: { status: 405 } });
  await lock(references, options);
  // Eight are under way at once.
  expect(registry.seen(/^HEAD/).length).toBeLessThanOrEqual(8);
  expect(asked(registry).filter(line => line.startsWith("GET v"))).toHaveLength(12);
});

test("a HEAD that names a digest which the registry does not have gives the manifest that the tag means", async () => {
  const { registry, text, again } = await scene();
  registry.addFault({ on: /^HEAD/, change: headless({ "docker-content-digest": `sha256:${"0".repeat(64)}` }) });
  expect(await again()).toBe(text);
  expect(asked(registry)).toEqual(["HEAD 1", "GET 1"]);
});

test("a manifest of one repository never answers for another one", async () => {
  const { registry, folder, stored } = await scene();
  const other = `${registry.host}/team/two@${stored.digest}`;
  registry.addFault({ on: /team\/two\/manifests/, times: 99, reply: { status: 404 } });
  const options = { platform: "linux/amd64", referrers: false, cacheDir: join(folder, "cache") };
  expect(await failure(lock([other], options))).toBeInstanceOf(NotFoundError);
});

test("a manifest in the cache is no help to who may not read the repository", async () => {
  const user = { user: "ann", password: "secret" };
  const registry = await ScriptedRegistry.start({ auth: { scheme: "bearer", ...user } });
  const { digest } = storeIndex(registry.content, "team/one:1");
  const cacheDir = await temporaryFolder();
  const names = [`${registry.host}/team/one:1`, `${registry.host}/team/one@${digest}`];
  const options = { platform: "linux/amd64", referrers: false, cacheDir };
  const auth = { username: user.user, password: user.password };
  await lock(names, { ...options, registry: { auth } });
  for (const name of names) {
    const error = await failure(lock([name], { ...options, registry: { auth: { ...auth, password: "wrong" } } }));
    expect(error).toBeInstanceOf(AuthError);
  }
});

test("pull of a lock names the root and the signature that have gone, although the cache has both", async () => {
  const { registry, stored, folder, reference } = await scene();
  const signature = putReferrer(registry.content, "team/one", { tag: tagOf(stored.digest, ".sig") });
  const cacheDir = join(folder, "cache");
  const { text } = await lock([reference], { platform: "linux/amd64", cacheDir });
  const before = await readdir(folder);
  for (const digest of [signature.digest, stored.digest]) {
    registry.content.manifests.delete(digest);
    const running = pull([], { lock: Buffer.from(text), cacheDir, output: join(folder, "out.tar") });
    const error = await failure(running);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain(digest);
    expect(await readdir(folder)).toEqual(before);
  }
});

test("an altered manifest in the cache is fetched again, and replaced", async () => {
  const { registry, folder, text, again } = await scene();
  const cache = join(folder, "cache/manifests");
  const [name = ""] = await readdir(cache);
  const lines = (await readFile(join(cache, name), "latin1")).split("\n");
  const altered = lines.map(line => {
    const [kind, digest, type, body = ""] = line.split(" ");
    if (kind !== "manifest") return line;
    const json = Buffer.from(body, "base64").toString().replace("amd64", "arm64").replace('"size":', '"size":1');
    return [kind, digest, type, Buffer.from(json).toString("base64")].join(" ");
  });
  expect(altered).not.toEqual(lines);
  await writeFile(join(cache, name), altered.join("\n"));
  expect(await again()).toBe(text);
  expect(asked(registry)).toEqual(["GET 1", "GET DIGEST"]);
  registry.requests.length = 0;
  expect(await again()).toBe(text);
  expect(asked(registry)).toEqual(["HEAD 1"]);
});

test("two runs at once keep what both have read", async () => {
  const { registry, folder } = await scene();
  const tags = Array.from({ length: 8 }, (_, index) => `v${index}`);
  for (const tag of tags) storeIndex(registry.content, `team/one:${tag}`);
  const options = { platform: "linux/amd64", referrers: false, cacheDir: join(folder, "new") };
  const named = tags.map(tag => `${registry.host}/team/one:${tag}`);
  await Promise.all(named.map(async name => await lock([name], options)));
  registry.requests.length = 0;
  await lock(named, options);
  expect([...asked(registry)].sort()).toEqual(tags.map(tag => `HEAD ${tag}`));
});
