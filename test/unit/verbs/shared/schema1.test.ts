import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { copy } from "../../../../src/verbs/copy/copy.ts";
import { pull } from "../../../../src/verbs/pull.ts";
import type { PullResult } from "../../../../src/verbs/pull-options.ts";
import { digest } from "../../../../src/verbs/query/digest.ts";
import { manifest, rawManifest } from "../../../../src/verbs/query/manifest.ts";
import { tag } from "../../../../src/verbs/tag.ts";
import { verify } from "../../../../src/verbs/verify.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { sha256 } from "../../../support/memory-registry.ts";
import { schema1Bytes, schema1Document, signSchema1 } from "../../../support/schema1-images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../../../support/tar-builder.ts";

const SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const UNSIGNED = "application/vnd.docker.distribution.manifest.v1+json";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const LAYER = gzipSync(tarArchive([tarEntry({ name: "hello", body: "hello\n" })]));

interface Held {
  readonly registry: ScriptedRegistry;
  readonly body: Buffer;
  readonly payload: Buffer;
  /** Of the payload. */
  readonly digest: string;
}

interface Making {
  readonly change?: (document: Record<string, unknown>) => object;
  readonly type?: string;
  /** What the registry says of it; the payload's digest without it. */
  readonly claimed?: string;
  readonly isSigned?: boolean;
}

/** A registry with app:1 of schema 1, which tells its digest as such registries do. */
async function holdSchema1(making: Making = {}): Promise<Held> {
  const { change = (document: object) => document, isSigned = true } = making;
  const registry = await ScriptedRegistry.start();
  const layer = registry.content.addBlob(LAYER);
  const document = schema1Document([
    { layer, json: { container_config: { Cmd: ["/bin/sh", "-c", "#(nop) ADD hello"] } } },
    { isThrowaway: true, json: { os: "linux", architecture: "amd64", docker_version: "1.12.0", config: {} } },
  ]);
  const payload = schema1Bytes(change(document));
  const body = isSigned ? signSchema1(payload) : payload;
  const held = sha256(payload);
  const entry = { type: making.type ?? (isSigned ? SIGNED : UNSIGNED), bytes: body };
  registry.content.manifests.set("app:1", entry).set(held, entry);
  const claimed = making.claimed ?? held;
  registry.addFault({
    on: /\/manifests\//,
    times: 99,
    when: ({ method, path }) => method !== "PUT" && path.startsWith("/v2/app/"),
    change: ({ headers }) => ({ headers: { ...headers, "docker-content-digest": claimed } }),
  });
  return { registry, body, payload, digest: held };
}

async function pulled({ registry }: Held, reference: string): Promise<PullResult & { readonly notes: string[] }> {
  const notes: string[] = [];
  const output = join(await temporaryFolder(), "out.tar");
  const result = await pull([`${registry.host}/${reference}`], {
    output,
    platform: ["linux/amd64"],
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
  });
  expect((await verify(output)).faults).toEqual([]);
  return { ...result, notes };
}

describe("pull() of schema 1", () => {
  test("pull() converts a signed image, by tag and by digest, and tells both digests", async () => {
    const held = await holdSchema1();
    const byTag = await pulled(held, "app:1");
    expect(byTag.images).toMatchObject([{ mediaType: DOCKER_MANIFEST, previousDigest: held.digest }]);
    expect(byTag.notes.join("\n")).toContain("is of schema 1, and becomes schema 2: 1 layer is read twice");
    const byDigest = await pulled(held, `app@${held.digest}`);
    expect(byDigest.images).toMatchObject([{ digest: byTag.images[0]?.digest, previousDigest: held.digest }]);
  });

  test("pull() converts an image without signatures, whatever it was announced as", async () => {
    for (const type of [UNSIGNED, SIGNED, "application/json; charset=utf-8"]) {
      const held = await holdSchema1({ isSigned: false, type });
      const { images } = await pulled(held, "app:1");
      expect(images).toMatchObject([{ previousDigest: held.digest }]);
    }
  });

  test.each([
    [401, "as ECR Public answers every HEAD of a blob"],
    [403, "as caches in front of a registry do"],
    [400, "as registries without HEAD do"],
  ])("pull() finds the sizes of layers where HEAD is answered %i, %s", async (status, _why) => {
    const held = await holdSchema1();
    held.registry.addFault({ on: /^HEAD .*\/blobs\//, times: 99, reply: { status } });
    const { images } = await pulled(held, "app:1");
    expect(images).toMatchObject([{ mediaType: DOCKER_MANIFEST, previousDigest: held.digest }]);
  });

  test("M-04 pull() refuses a payload that is not the digest that was asked for, or told", async () => {
    const held = await holdSchema1();
    const other = `sha256:${"0".repeat(64)}`;
    held.registry.content.manifests.set(other, { type: SIGNED, bytes: held.body });
    await expect(pulled(held, `app@${other}`)).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    // The digest of the body, signatures and all, is not the image's.
    held.registry.content.manifests.set(sha256(held.body), { type: SIGNED, bytes: held.body });
    await expect(pulled(held, `app@${sha256(held.body)}`)).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    await expect(pulled(await holdSchema1({ claimed: other }), "app:1")).rejects.toMatchObject({
      code: "ERR_INTEGRITY",
    });
  });

  test("M-04 pull() refuses schema 1 that is announced as another manifest", async () => {
    const held = await holdSchema1({ type: DOCKER_MANIFEST });
    await expect(pulled(held, "app:1")).rejects.toMatchObject({
      exitCode: 8,
      cause: { reason: "manifest-media-type" },
    });
  });

  test.each([
    ["unequal counts", "schema1-history", (doc: Record<string, unknown>) => ({ ...doc, fsLayers: [] })],
    [
      "a chain upside down",
      "schema1-chain",
      (doc: Record<string, unknown>) => ({
        ...doc,
        history: [doc["history"]].flat().reverse(),
      }),
    ],
  ])("M-04 pull() refuses %s", async (_what, reason, change) => {
    await expect(pulled(await holdSchema1({ change }), "app:1")).rejects.toMatchObject({
      exitCode: 8,
      cause: { reason },
    });
  });

  test("pull() asks for schema 1 only when the registry has nothing else", async () => {
    const held = await holdSchema1();
    const { requests } = held.registry;
    await pulled(held, "app:1");
    const asked = requests.filter(({ path }) => path.includes("/manifests/")).map(({ headers }) => headers.accept);
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toContain("distribution.manifest.v1");

    const strict = await ScriptedRegistry.start({
      faults: [
        {
          on: /manifests/,
          times: 99,
          when: ({ headers }) => headers.accept?.includes("distribution.manifest.v1") !== true,
          reply: { status: 404 },
        },
      ],
    });
    for (const [key, blob] of held.registry.content.blobs) strict.content.blobs.set(key, blob);
    strict.content.manifests.set("app:1", { type: UNSIGNED, bytes: held.payload });
    const { images } = await pulled({ ...held, registry: strict }, "app:1");
    expect(images).toMatchObject([{ previousDigest: held.digest }]);
    expect(strict.seen(/manifests/)).toHaveLength(2);
    await expect(pulled({ ...held, registry: strict }, "absent:1")).rejects.toMatchObject({ exitCode: 5 });
  });

  test("pull() learns the size of a layer where the registry refuses HEAD", async () => {
    const held = await holdSchema1();
    held.registry.addFault({ on: /^HEAD .*\/blobs\//, times: 99, reply: { status: 405 } });
    expect((await pulled(held, "app:1")).images).toHaveLength(1);
  });
});

describe("manifest(), digest(), copy(), tag() of schema 1", () => {
  test("manifest() shows layers, sizes and instructions without reading a layer", async () => {
    const held = await holdSchema1();
    const found = await manifest(`${held.registry.host}/app:1`);
    expect(found).toMatchObject({ digest: held.digest, mediaType: SIGNED, size: held.body.length, absent: [] });
    expect(found.platforms).toMatchObject([
      {
        platform: "linux/amd64",
        layerBytes: LAYER.length,
        layers: [{ digest: sha256(LAYER), size: LAYER.length, createdBy: "/bin/sh -c #(nop) ADD hello" }],
      },
    ]);
    expect(found.platforms[0]).not.toHaveProperty("config");
    expect(held.registry.seen(/^GET .*\/blobs\//)).toHaveLength(0);
    const raw = await rawManifest(`${held.registry.host}/app:1`);
    expect(Buffer.from(raw.bytes).equals(held.body)).toBe(true);
    expect(raw.digest).toBe(held.digest);
    expect((await digest(`${held.registry.host}/app:1`)).digest).toBe(held.digest);
  });

  test("M-04 copy() converts, and no schema 1 is ever pushed", async () => {
    const held = await holdSchema1();
    const to = await ScriptedRegistry.start();
    const notes: string[] = [];
    const { images } = await copy(`${held.registry.host}/app:1`, `${to.host}/app:2`, {
      onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    });
    expect(images).toMatchObject([{ mediaType: DOCKER_MANIFEST, previousDigest: held.digest }]);
    expect(to.content.manifests.get("app:2")?.type).toBe(DOCKER_MANIFEST);
    expect(notes.join("\n")).toContain("becomes schema 2");
    await expect(tag(`${held.registry.host}/app:1`, ["other"])).rejects.toMatchObject({
      exitCode: 8,
      cause: { reason: "manifest-schema1" },
    });
    expect(held.registry.seen(/^PUT /)).toHaveLength(0);
  });
});
