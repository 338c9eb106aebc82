// A limit (429) is waited for, and never taken for an image without signatures.
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { lock, type PartialError, type PullResult, pull } from "../../src/index.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

const REFERRERS = /^GET .*\/referrers\//;
const IMAGES = 12;
const ATTEMPTS = 5;

interface Scene {
  readonly registry: ScriptedRegistry;
  readonly names: readonly string[];
  readonly digests: readonly string[];
}

/** Signed images, each in a repository of its own. */
async function sceneOf(count: number, faults: readonly Fault[] = []): Promise<Scene> {
  const registry = await ScriptedRegistry.start({ faults });
  const { content } = registry;
  content.hasReferrers = true;
  const repositories = Array.from({ length: count }, (_, index) => `app${index}`);
  const digests = repositories.map(repository => {
    const { digest } = storeImage(content, [seededBytes(repository, 300)]);
    const manifest = content.manifests.get(digest);
    if (manifest !== undefined) content.manifests.set(`${repository}:1`, manifest);
    putReferrer(content, repository, { subject: digest, artifactType: "application/vnd.cncf.notary.signature" });
    return digest;
  });
  return { registry, names: repositories.map(name => `${registry.host}/${name}:1`), digests };
}

async function pulled(
  { names }: Scene,
  more: Partial<Parameters<typeof pull>[1]> = {},
): Promise<PullResult & { readonly output: string }> {
  const output = join(await temporaryFolder(), "out.tar");
  return { ...(await pull([...names], { output, platform: "linux/amd64", ...more })), output };
}

const lookupsOf = ({ images }: PullResult): readonly unknown[] =>
  images.map(({ referrers }) => [referrers?.lookup, referrers?.signatures]);

const isHead = /^HEAD .*\/manifests\/sha256:/;

beforeEach(() => {
  waits.length = 0;
});

describe("a limit on the referrers API", () => {
  test("is waited for as long as the registry says, and no signature is lost", async () => {
    const scene = await sceneOf(1, [
      { on: REFERRERS, times: 4, reply: { status: 429, headers: { "retry-after": "37" } } },
    ]);
    expect(lookupsOf(await pulled(scene))).toEqual([["complete", 1]]);
    expect(waits.filter(ms => ms === 37_000).length).toBeGreaterThanOrEqual(4);
  });

  test("that never ends is met once for the whole registry: what there is, is unknown", async () => {
    const scene = await sceneOf(IMAGES, [{ on: REFERRERS, times: 1e6, reply: { status: 429 } }]);
    expect(lookupsOf(await pulled(scene))).toEqual(Array(IMAGES).fill(["refused", 0]));
    expect(scene.registry.seen(REFERRERS)).toHaveLength(ATTEMPTS + 1);
  });

  test("is not waited for for hours by --keep-going, which would not end it", async () => {
    const scene = await sceneOf(2, [{ on: REFERRERS, times: 1e6, reply: { status: 429 } }]);
    expect(lookupsOf(await pulled(scene, { keepGoing: true }))).toEqual(Array(2).fill(["refused", 0]));
    expect(Math.max(...waits)).toBeLessThan(60_000);
  });

  test("of the whole registry is no refusal: the image fails", async () => {
    let isLimited = false;
    const scene = await sceneOf(1, [
      { on: /./, when: () => isLimited, times: 1e6, reply: { status: 429 } },
      {
        on: /^GET .*\/manifests\//,
        change: () => {
          isLimited = true;
          return {};
        },
      },
    ]);
    await expect(pulled(scene)).rejects.toMatchObject({ exitCode: 8, message: expect.stringContaining("status 429") });
  });

  test("of the whole registry that ends while another request waits for it: the API is asked once more", async () => {
    const scene = await sceneOf(1, [
      { on: REFERRERS, times: ATTEMPTS, reply: { status: 429 } },
      { on: isHead, times: 3, reply: { status: 429 } },
    ]);
    expect(lookupsOf(await pulled(scene))).toEqual([["complete", 1]]);
    const asked = scene.registry.seen(REFERRERS).filter(({ path }) => path.endsWith(scene.digests[0] ?? "none"));
    expect(asked).toHaveLength(ATTEMPTS + 1);
  });

  test("lock waits for it, too", async () => {
    const scene = await sceneOf(3, [{ on: REFERRERS, times: 2, reply: { status: 429 } }]);
    const { text } = await lock([...scene.names], { platform: "linux/amd64" });
    const { images } = JSON.parse(text);
    expect(images.map(({ lookup }: { lookup: string }) => lookup)).toEqual(Array(3).fill("complete"));
  });
});

describe("a referrers API that fails", () => {
  test.each([500, 503])("always (%i) uses up the retries of one image, not of all", async status => {
    const scene = await sceneOf(IMAGES, [{ on: REFERRERS, times: 1e6, reply: { status } }]);
    const failure = await pulled(scene).catch((error: PartialError) => error);
    expect(failure).toMatchObject({ exitCode: 8, message: expect.stringContaining(`status ${status}`) });
    expect(scene.registry.seen(REFERRERS).length).toBeLessThan(ATTEMPTS + IMAGES);
  });
});

test.each([
  ["signature's tag", /\/manifests\/sha256-[0-9a-f]+\.sig/],
  ["list of tags", /\/tags\/list/],
])("a limit on the %s that never ends fails the image, which may be signed", async (what, on) => {
  const scene = await sceneOf(1, [
    { on, times: 1e6, reply: { status: 429 } },
    { on: /^HEAD .*\.sig/, times: 1e6, reply: { status: 429 } },
  ]);
  scene.registry.content.hasReferrers = false;
  putReferrer(scene.registry.content, "app0", { tag: tagOf(scene.digests[0] ?? "", ".sig") });
  await expect(pulled(scene), what).rejects.toMatchObject({ exitCode: 8 });
});
