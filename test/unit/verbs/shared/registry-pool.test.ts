import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { UsageError } from "../../../../src/errors.ts";
import { resolveDigest } from "../../../../src/registry/api/resolve-digest.ts";
import { registrySource } from "../../../../src/registry/registry-source.ts";
import { type PoolOptions, RegistryPool } from "../../../../src/verbs/shared/registry-pool.ts";
import { CANARIES, expectNoCanary, written } from "../../../support/canaries.ts";
import { ownEnvironment } from "../../../support/command-line.ts";
import { sha256 } from "../../../support/memory-registry.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";

const folder = ownEnvironment();

const auth = { scheme: "basic", user: "ci", password: CANARIES.password } as const;
const login = { registry: { auth: { username: "ci", password: CANARIES.password } } };
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');

function addImage(registry: ScriptedRegistry, name: string, note: string): string {
  registry.content.addBlob(config);
  const descriptor = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: sha256(config),
    size: config.length,
  };
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [], annotations: { note } };
  return registry.content.addManifest(name, MANIFEST, Buffer.from(JSON.stringify(manifest)));
}

/** Pulls `team/app` of a registry: the digest that came, and what was said. */
async function pull(
  host: string,
  options: PoolOptions,
  name: { tag: string } | { digest: string } = { tag: "1" },
): Promise<{ readonly digest: string | undefined; readonly notes: readonly string[] }> {
  const events: ProgressEvent[] = [];
  const registries = new RegistryPool(options, [host], event => void events.push(event));
  onTestFinished(async () => await registries[Symbol.asyncDispose]());
  const reference = { registry: host, repository: "team/app", ...name } as never;
  const source = registrySource([reference], registries.repositoryFor, {
    candidatesFor: registries.candidatesFor,
    onNote: registries.note,
  });
  onTestFinished(async () => await source[Symbol.asyncDispose]());
  let digest: string | undefined;
  for await (const root of source.roots()) {
    if (root.kind !== "settled") continue;
    digest = root.descriptor.digest;
    expect(root.names).toEqual([`${host}/team/app${"tag" in name ? `:${name.tag}` : `@${name.digest}`}`]);
    const blob = await source.blob({
      mediaType: "application/x",
      digest: sha256(config) as never,
      size: config.length,
    });
    const parts: Buffer[] = [];
    for await (const part of await blob.open()) parts.push(part as Buffer);
    expect(Buffer.concat(parts)).toEqual(config);
  }
  return { digest, notes: events.flatMap(event => (event.kind === "note" ? [event.message] : [])) };
}

async function confWith(text: string): Promise<void> {
  const place = join(folder, "XDG_CONFIG_HOME", "containers");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "registries.conf"), text);
  onTestFinished(async () => await rm(place, { recursive: true }));
}

describe("RegistryPool with mirrors", () => {
  test("RegistryPool.candidatesFor() lets a mirror serve manifest and blobs, without credentials of the registry", async () => {
    const [origin, mirror] = [await ScriptedRegistry.start({ auth }), await ScriptedRegistry.start()];
    const digest = addImage(mirror, "team/app:1", "mirror");
    const pulled = await pull(origin.host, { ...login, mirror: [mirror.host] });
    expect(pulled.digest).toBe(digest);
    expect(pulled.notes).toEqual([`Pulling ${origin.host}/team/app:1 from mirror ${mirror.host}/team/app`]);
    expect(origin.requests).toEqual([]);
    expectNoCanary(written(mirror.requests));
  });

  test.each([
    ["has not got it", { status: 404 }],
    ["wants credentials", { status: 401, headers: { "www-authenticate": "Basic" } }],
    ["is no registry", { status: 200, body: Buffer.from("<html>") }],
  ])("RegistryPool.candidatesFor() passes over a mirror that %s, and says so", async (_what, reply) => {
    const [origin, first, second] = [
      await ScriptedRegistry.start({ auth }),
      await ScriptedRegistry.start({ faults: [{ on: /./, times: 9, reply }] }),
      await ScriptedRegistry.start(),
    ];
    const digest = addImage(origin, "team/app:1", "origin");
    const pulled = await pull(origin.host, { ...login, mirror: [first.host, second.host] });
    expect(pulled.digest).toBe(digest);
    expect(pulled.notes.map(note => note.replace(/: Cannot.*/s, ""))).toEqual(
      [first, second].map(
        ({ host }) => `Mirror ${host}/team/app does not serve ${origin.host}/team/app:1, trying the next one`,
      ),
    );
    expectNoCanary(written(first.requests), written(second.requests), ...pulled.notes);
  });

  test("RegistryPool.candidatesFor() passes over a mirror that serves another image under a pinned digest", async () => {
    const [origin, mirror] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const digest = addImage(origin, "team/app:1", "origin");
    addImage(mirror, "team/app:1", "evil");
    const evil = mirror.content.manifests.get("team/app:1");
    if (evil !== undefined) mirror.content.manifests.set(digest, evil);
    const pulled = await pull(origin.host, { mirror: [mirror.host] }, { digest });
    expect(pulled.digest).toBe(digest);
    expect(pulled.notes[0]).toContain("does not serve");
  });

  test("RegistryPool.candidatesFor() reads mirrors and moved registries from registries.conf", async () => {
    const [mirror, moved] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const digest = addImage(moved, "other/app:1", "moved");
    await confWith(
      `[[registry]]\nprefix = "registry.invalid/team"\nlocation = "${moved.host}/other"\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\n`,
    );
    const pulled = await pull("registry.invalid", login);
    expect(pulled.digest).toBe(digest);
    expect(mirror.seen(/cache\/app/)).toHaveLength(1);
    expectNoCanary(written([...mirror.requests, ...moved.requests]));
  });

  test.each([
    ["no TLS", undefined],
    ["a certificate that nobody trusts", TEST_TLS],
  ])(
    "RegistryPool.candidatesFor() takes registries.conf's word for an insecure registry that has %s",
    async (_what, tls) => {
      const registry = await ScriptedRegistry.start({ auth, ...(tls === undefined ? {} : { tls }) });
      const digest = addImage(registry, "team/app:1", "insecure");
      await confWith(`[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
      await expect(pull(registry.host, login)).resolves.toMatchObject({ digest });
    },
  );
});

test("images of one insecure registry that are asked for at once find out together that it has no TLS", async () => {
  const registry = await ScriptedRegistry.start({ auth });
  const digest = addImage(registry, "team/app:1", "insecure");
  await confWith(`[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
  const reference = { registry: registry.host, repository: "team/app", tag: "1" };
  await using registries = new RegistryPool(login, [registry.host], () => undefined);
  const digestOf = async (): Promise<string> => {
    const [candidate] = await registries.candidatesFor(reference);
    if (candidate === undefined) throw new Error("no candidate");
    return (await resolveDigest(await candidate.open(), "1")).digest;
  };
  await expect(Promise.all([digestOf(), digestOf(), digestOf()])).resolves.toEqual([digest, digest, digest]);
});

test("an image that is stopped while its registry is connected does not stop the others", async () => {
  const registry = await ScriptedRegistry.start();
  await using registries = new RegistryPool({}, [], () => undefined);
  const stopped = registries.clientFor(registry.host, AbortSignal.abort(new Error("stopped")));
  const other = registries.clientFor(registry.host);
  await expect(stopped).rejects.toThrow("stopped");
  await expect(other).resolves.toMatchObject({ registry: registry.host });
});

describe("RegistryPool with credentials of the command line", () => {
  test("RegistryPool.clientFor() refuses a second registry before it is asked", async () => {
    const [first, second] = [await ScriptedRegistry.start({ auth }), await ScriptedRegistry.start({ auth })];
    await using registries = new RegistryPool(login, [first.host, second.host], () => undefined);
    await registries.clientFor(first.host);
    await registries.clientFor(first.host);
    const refused = registries.clientFor(second.host);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      `Cannot log in to ${second.host}: credentials were given for ${first.host}, expected one registry`,
    );
    expect(second.requests).toEqual([]);
  });
});

afterAll(() => {
  vi.unstubAllEnvs();
});

test("registries.conf is read once in a run, and not for each image", async () => {
  const conf = join(folder, "once.conf");
  await writeFile(conf, '[[registry]]\nprefix = "r.lan"\nlocation = "moved.lan"\n');
  vi.stubEnv("CONTAINERS_REGISTRIES_CONF", conf);
  onTestFinished(() => void vi.stubEnv("CONTAINERS_REGISTRIES_CONF", undefined));
  await using registries = new RegistryPool({}, ["r.lan"], () => undefined);
  const places = async (): Promise<readonly string[]> =>
    (await registries.candidatesFor({ registry: "r.lan", repository: "app", tag: "1" })).map(({ name }) => name);
  expect(await places()).toEqual(["moved.lan/app"]);
  await rm(conf);
  expect(await places()).toEqual(["moved.lan/app"]);
});
