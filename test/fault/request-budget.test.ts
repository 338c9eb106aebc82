import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ImgpackError, lock, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockText, SHARED, storeIndex } from "./lock-support.ts";

const PLATFORM = { platform: "linux/amd64" };

/** Requests by method and path, without the digests of what they ask for. */
function counts(registry: ScriptedRegistry): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { method, path } of registry.requests) {
    const key = `${method} ${path.replace(/sha256:[0-9a-f]{64}/, "DIGEST").replace(/\?.*$/, "")}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

test("lock and pull ask for each manifest and config once, and for the tags of a repository once", async () => {
  const registry = await ScriptedRegistry.start();
  const repositories = ["team/one", "team/two"];
  for (const repository of repositories) {
    for (const tag of ["1", "2", "3"]) {
      const { digest } = storeIndex(registry.content, `${repository}:${tag}`);
      putReferrer(registry.content, repository, { tag: tagOf(digest, ".sig"), text: tag });
    }
  }
  const references = repositories.flatMap(name => ["1", "2", "3"].map(tag => `${registry.host}/${name}:${tag}`));
  await lock(references, PLATFORM);
  const locking = counts(registry);
  for (const repository of repositories) {
    for (const tag of ["1", "2", "3"]) expect(locking[`GET /v2/${repository}/manifests/${tag}`]).toBe(1);
    expect(locking[`GET /v2/${repository}/manifests/DIGEST`]).toBe(3);
    expect(locking[`GET /v2/${repository}/tags/list`]).toBe(1);
    // It has no such API: it is asked once, and not for each image.
    expect(locking[`GET /v2/${repository}/referrers/DIGEST`]).toBe(1);
    expect(locking[`GET /v2/${repository}/blobs/DIGEST`]).toBeUndefined();
  }
  expect(registry.seen(/^HEAD/)).toEqual([]);
  registry.requests.length = 0;
  await pull(references, { ...PLATFORM, output: join(await temporaryFolder(), "out.tar") });
  const {
    "GET /v2/team/one/blobs/DIGEST": one = 0,
    "GET /v2/team/two/blobs/DIGEST": two = 0,
    ...others
  } = counts(registry);
  const { "GET /v2/team/one/blobs/DIGEST": _, ...same } = locking;
  expect(others).toEqual(same);
  const blobs = registry.seen(/^GET .*\/blobs\//).map(({ path }) => path.split("/").at(-1));
  expect(new Set(blobs).size).toBe(blobs.length);
  expect(one + two).toBe(blobs.length);
});

test("pull of a lock asks for no tag, no list and no referrers", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const reference = `${registry.host}/team/one:1`;
  const { text } = await lock([reference], PLATFORM);
  registry.requests.length = 0;
  await pull([], { lock: Buffer.from(text), output: join(await temporaryFolder(), "out.tar") });
  expect(counts(registry)).toMatchObject({ "GET /v2/team/one/manifests/DIGEST": 2 });
  expect(registry.seen(/manifests\/1|tags\/list|referrers|^HEAD/)).toEqual([]);
});

/** Requests of a second call, which has the cache of the first one. */
async function warm(
  registry: ScriptedRegistry,
  run: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  registry.requests.length = 0;
  await run();
  return counts(registry);
}

test("with a cache, an unchanged tag costs one HEAD, and a tag that has moved one HEAD and one GET more", async () => {
  const registry = await ScriptedRegistry.start();
  const tags = ["1", "2", "3"];
  for (const tag of tags) storeIndex(registry.content, `team/one:${tag}`);
  const references = tags.map(tag => `${registry.host}/team/one:${tag}`);
  const options = { ...PLATFORM, referrers: false, cacheDir: await temporaryFolder() };
  const first = await lock(references, options);
  // What is not known yet is not asked for twice.
  expect(registry.seen(/^HEAD/)).toEqual([]);
  expect(registry.seen(/^GET .*\/manifests\//)).toHaveLength(6);
  const heads = Object.fromEntries(tags.map(tag => [`HEAD /v2/team/one/manifests/${tag}`, 1]));
  const again = await warm(registry, async () => {
    const { text } = await lock(references, options);
    expect(text).toBe(first.text);
  });
  expect(again).toEqual(heads);
  storeIndex(registry.content, "team/one:2", { seed: "moved" });
  const moved = await warm(registry, async () => {
    const { text } = await lock(references, options);
    expect(text).not.toBe(first.text);
  });
  expect(moved).toEqual({
    ...heads,
    "GET /v2/team/one/manifests/2": 1,
    "GET /v2/team/one/manifests/DIGEST": 1,
  });
});

test("with a cache, only the tags and the API are asked again for what refers to unchanged images", async () => {
  const registry = await ScriptedRegistry.start();
  registry.content.hasReferrers = true;
  const { digest } = storeIndex(registry.content, "team/one:1");
  putReferrer(registry.content, "team/one", { tag: tagOf(digest, ".sig") });
  putReferrer(registry.content, "team/one", { subject: digest });
  const references = [`${registry.host}/team/one:1`];
  const options = { ...PLATFORM, cacheDir: await temporaryFolder() };
  const { text } = await lock(references, options);
  expect(JSON.parse(text).images[0].referrers).toHaveLength(2);
  const { "GET /v2/team/one/referrers/DIGEST": lookups = 0 } = counts(registry);
  const again = await warm(registry, async () => {
    expect((await lock(references, options)).text).toBe(text);
  });
  expect(again).toEqual({
    "HEAD /v2/team/one/manifests/1": 1,
    [`HEAD /v2/team/one/manifests/${tagOf(digest, ".sig")}`]: 1,
    "GET /v2/team/one/tags/list": 1,
    "GET /v2/team/one/referrers/DIGEST": lookups,
  });
});

test("after lock with a cache, pull of the images or of the lock asks for no manifest, but whether each root is there", async () => {
  const registry = await ScriptedRegistry.start();
  storeIndex(registry.content, "team/one:1");
  const reference = `${registry.host}/team/one:1`;
  const folder = await temporaryFolder();
  const options = { cacheDir: join(folder, "cache") };
  const { text } = await lock([reference], { ...PLATFORM, ...options });
  const blobs = { "GET /v2/team/one/blobs/DIGEST": 3 };
  const ofLock = await warm(registry, async () => {
    await pull([], { lock: Buffer.from(text), output: join(folder, "lock.tar"), ...options });
  });
  expect(ofLock).toEqual({ ...blobs, "HEAD /v2/team/one/manifests/DIGEST": 1 });
  const ofTag = await warm(registry, async () => {
    await pull([reference], { ...PLATFORM, referrers: false, output: join(folder, "tag.tar"), ...options });
  });
  expect(ofTag).toEqual({ ...blobs, "HEAD /v2/team/one/manifests/1": 1 });
  await pull([], { lock: Buffer.from(text), output: join(folder, "cold.tar") });
  expect(await readFile(join(folder, "lock.tar"))).toEqual(await readFile(join(folder, "cold.tar")));
});

test("what a registry says of its request limit is noted at the half and near the end, and not otherwise", async () => {
  const left = ["80", "50", "40", "9", "8", "0"];
  const faults: readonly Fault[] = left.map(count => ({
    on: /^GET .*\/manifests\//,
    change: reply => ({
      headers: { ...reply.headers, "ratelimit-limit": "100;w=21600", "ratelimit-remaining": `${count};w=21600` },
    }),
  }));
  const registry = await ScriptedRegistry.start({ faults });
  for (const tag of ["1", "2", "3"]) storeIndex(registry.content, `team/one:${tag}`);
  const notes: string[] = [];
  for (const tag of ["1", "2", "3"]) {
    await lock([`${registry.host}/team/one:${tag}`], {
      ...PLATFORM,
      referrers: false,
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
  }
  const ofLimit = notes.filter(note => note.startsWith(registry.host));
  const said = (count: number): string => `${registry.host} takes 100 requests in 6 h 0 min: ${count} are left`;
  // Each call sees two answers.
  expect(ofLimit).toEqual([said(50), said(40), said(9), said(8), said(0)]);
});

test("--keep-going waits until a registry takes requests again, as long as it says", async () => {
  const limited: Fault = {
    on: /^GET .*\/manifests\/1$/,
    times: 7,
    reply: { status: 429, headers: { "ratelimit-reset": "4000" } },
  };
  const registry = await ScriptedRegistry.start({ faults: [limited] });
  storeIndex(registry.content, "team/one:1");
  const notes: string[] = [];
  waits.length = 0;
  await lock([`${registry.host}/team/one:1`], {
    ...PLATFORM,
    keepGoing: true,
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
  });
  expect(waits.filter(ms => ms === 4_000_000)).toHaveLength(1);
  expect(notes).toContain(`${registry.host} takes no more requests now: waiting 1 h 7 min`);
});

test("without --keep-going, a registry that takes no more requests is an error after the usual retries", async () => {
  const limited: Fault = { on: /^GET .*\/manifests\/1$/, times: 99, reply: { status: 429 } };
  const registry = await ScriptedRegistry.start({ faults: [limited] });
  const failing = lock([`${registry.host}/team/one:1`], PLATFORM);
  const error = await failing.then(
    () => undefined,
    (found: ImgpackError) => found,
  );
  expect(error?.message).toContain("status 429");
  expect(registry.seen(/manifests\/1$/)).toHaveLength(5);
});

test("an index that states a wrong size of an image is locked and pulled with the true size, and it is said", async () => {
  const registry = await ScriptedRegistry.start();
  const { platforms } = storeIndex(registry.content, "team/one:1", { sizeOff: 7 });
  const manifest = platforms.get("amd64")?.manifest ?? "";
  const size = registry.content.manifests.get(manifest)?.bytes.length ?? 0;
  const output = join(await temporaryFolder(), "out.tar");
  const notes: string[] = [];
  const onProgress = (event: { readonly kind: string; readonly message?: string }): void => {
    if (event.kind === "note") notes.push(event.message ?? "");
  };
  const { text } = await lock([`${registry.host}/team/one:1`], { ...PLATFORM, onProgress });
  expect(JSON.parse(text).blobs).toContainEqual([manifest, size, "manifest", [`${registry.host}/team/one`]]);
  const said = `${manifest} (${size} bytes, stated ${size + 7})`;
  expect(notes.filter(note => note.includes(said) && note.includes("containerd"))).toHaveLength(1);
  await pull([`${registry.host}/team/one:1`], { ...PLATFORM, output, onProgress });
  expect(notes.filter(note => note.includes(said))).toHaveLength(2);
  expect(await lockText(output)).toBe(text);
  expect((await readFile(output)).includes(SHARED)).toBe(true);
});
