import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { convert, copyTo, ImgpackError, type PushResult, pull, push } from "../../src/index.ts";
import { storeImage, temporaryFolder } from "../support/images.ts";
import { type PutReferrer, putIndex, putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const SBOM = "application/spdx+json";
const NOTATION = "application/vnd.cncf.notary.signature";

interface Scene {
  readonly archive: string;
  readonly source: ScriptedRegistry;
  readonly image: string;
  readonly sbom: PutReferrer;
  /** Of the SBOM. */
  readonly signature: PutReferrer;
  /** Under cosign's tag. */
  readonly cosign: PutReferrer;
}

/** An archive of an image with an SBOM, which is signed, and a signature by cosign. */
async function scene(): Promise<Scene> {
  const source = await ScriptedRegistry.start();
  const { content } = source;
  content.hasReferrers = true;
  const image = storeImage(content, [Buffer.from("layer")]).digest;
  const sbom = putReferrer(content, "app", { subject: image, artifactType: SBOM, annotations: { made: "by hand" } });
  const signature = putReferrer(content, "app", { subject: sbom.digest, artifactType: NOTATION });
  const cosign = putReferrer(content, "app", { tag: tagOf(image, ".sig") });
  const archive = join(await temporaryFolder(), "out.tar");
  await pull([`${source.host}/app:1`], { output: archive, platform: "linux/amd64" });
  return { archive, source, image, sbom, signature, cosign };
}

async function target(hasReferrers: boolean, faults: readonly Fault[] = []): Promise<ScriptedRegistry> {
  const registry = await ScriptedRegistry.start({ faults: faults.map(fault => ({ times: 99, ...fault })) });
  registry.content.hasReferrers = hasReferrers;
  return registry;
}

async function pushed(
  { archive }: Scene,
  registry: ScriptedRegistry,
  options: Parameters<typeof push>[1] = {},
): Promise<PushResult> {
  return await push([archive], { to: `${registry.host}/mirror`, ...options });
}

/** PUT requests of manifests: tags and digests, in order. */
function puts(registry: ScriptedRegistry): readonly string[] {
  return registry.seen(/^PUT .*\/manifests\//).map(({ path }) => path.split("/manifests/")[1] ?? "");
}

function indexIn(registry: ScriptedRegistry, subject: string): readonly Record<string, unknown>[] {
  const found = registry.content.manifests.get(`mirror/app:${tagOf(subject)}`);
  return (JSON.parse(String(found?.bytes)) as { manifests: Record<string, unknown>[] }).manifests;
}

async function failure(run: Promise<unknown>): Promise<ImgpackError> {
  const error = await run.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ImgpackError) return error;
  throw error ?? new Error("It did not fail.");
}

describe("push() of what refers to an image", () => {
  test("push() puts the image, what refers to it, and the tag last; with the API it writes no index", async () => {
    const from = await scene();
    const registry = await target(true);
    const { images } = await pushed(from, registry);
    expect(images[0]?.referrers).toMatchObject({ signatures: 2, sboms: 1 });
    const { image, sbom, signature, cosign } = from;
    expect(puts(registry)).toEqual([image, sbom.digest, signature.digest, tagOf(image, ".sig"), "1"]);
    for (const { layer, digest } of [sbom, signature, cosign]) {
      expect(registry.content.manifests.has(digest)).toBe(true);
      expect([...registry.content.blobs.values()].some(blob => blob.equals(layer))).toBe(true);
    }
  });

  test("push() to a registry without the API writes the index that replaces it, as the manifests say", async () => {
    const from = await scene();
    const registry = await target(false);
    await pushed(from, registry);
    const { sbom, signature, image } = from;
    expect(indexIn(registry, image)).toEqual([
      { ...sbom.descriptor, artifactType: SBOM, annotations: { made: "by hand" } },
    ]);
    expect(indexIn(registry, sbom.digest)).toEqual([{ ...signature.descriptor, artifactType: NOTATION }]);
    expect(puts(registry).at(-1)).toBe("1");
  });

  test("push() keeps what the index has already, and writes it only if no one else did in the meantime", async () => {
    const from = await scene();
    const { image, sbom } = from;
    const registry = await target(false);
    const other = {
      mediaType: SBOM,
      digest: `sha256:${"e".repeat(64)}`,
      size: 7,
      data: "e30=",
      annotations: { a: "b" },
    };
    putIndex(registry.content, `mirror/app:${tagOf(image)}`, [{ ...other, mediaType: OCI_INDEX }]);
    const tag = new RegExp(`^GET .*/manifests/${tagOf(image)}$`);
    registry.addFault({ on: tag, times: 9, change: reply => ({ headers: { ...reply.headers, etag: '"one"' } }) });
    registry.addFault({ on: new RegExp(`^PUT .*/manifests/${tagOf(image)}$`), reply: { status: 412 } });
    await pushed(from, registry);
    expect(indexIn(registry, image).map(({ digest, data }) => [digest, data])).toEqual([
      [other.digest, "e30="],
      [sbom.digest, undefined],
    ]);
    const written = registry.seen(new RegExp(`^PUT .*/manifests/${tagOf(image)}$`));
    expect(written.map(({ headers }) => headers["if-match"])).toEqual(['"one"', '"one"']);
  });

  test("push() writes the index again if another client has replaced it at the same moment", async () => {
    const from = await scene();
    const registry = await target(false);
    const tag = `mirror/app:${tagOf(from.image)}`;
    const other = { ...from.cosign.descriptor, digest: `sha256:${"e".repeat(64)}` };
    registry.addFault({
      on: new RegExp(`^PUT .*/manifests/${tagOf(from.image)}$`),
      change: () => {
        putIndex(registry.content, tag, [other]);
        return {};
      },
    });
    await pushed(from, registry);
    expect(indexIn(registry, from.image).map(({ digest }) => digest)).toEqual([other.digest, from.sbom.digest]);
  });

  test("push() of an image that is there still delivers the signature that is missing, and then writes nothing", async () => {
    const from = await scene();
    for (const hasReferrers of [true, false]) {
      const registry = await target(hasReferrers);
      await pushed(from, registry, { referrers: false });
      expect(puts(registry)).toEqual(["1"]);
      registry.requests.length = 0;
      await pushed(from, registry);
      expect(puts(registry)).toEqual(expect.arrayContaining([from.sbom.digest, tagOf(from.image, ".sig")]));
      registry.requests.length = 0;
      const { bytesSent } = await pushed(from, registry);
      expect(puts(registry)).toEqual([]);
      expect(bytesSent).toBe(0);
    }
  });

  test("push() does not overwrite what is no index, delivers the image, and names what it could not deliver: exit 10", async () => {
    const from = await scene();
    const registry = await target(false);
    const tag = `mirror/app:${tagOf(from.image)}`;
    registry.content.addManifest(tag, from.sbom.descriptor.mediaType, from.cosign.bytes);
    const error = await failure(pushed(from, registry));
    expect(error).toMatchObject({ exitCode: 10, failed: [from.archive], result: { images: [{ digest: from.image }] } });
    expect(error.message).toContain(`${registry.host}/mirror/app@${from.sbom.digest} (of ${from.image})`);
    expect(registry.content.manifests.get(tag)?.bytes.equals(from.cosign.bytes)).toBe(true);
    expect(registry.content.manifests.has("mirror/app:1")).toBe(true);
  });

  test("push() to a registry that refuses artifact manifests delivers the images, and names each one: exit 10", async () => {
    const from = await scene();
    const registry = await target(false, [
      {
        on: /^PUT .*\/manifests\/sha256:/,
        change: (reply, { body }) => (body.includes("artifactType") ? { status: 400 } : reply),
      },
    ]);
    const error = await failure(pushed(from, registry));
    expect(error).toMatchObject({ exitCode: 10, code: "ERR_PARTIAL" });
    for (const { digest } of [from.sbom, from.signature]) expect(error.message).toContain(digest);
    expect(error.message).not.toContain(from.cosign.digest);
    expect(puts(registry).at(-1)).toBe("1");
  });

  test("push() to a registry that says that it lists a referrer, and does not: exit 10", async () => {
    const from = await scene();
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
    const registry = await target(true, [
      { on: /\/referrers\//, reply: { status: 200, headers: { "content-type": OCI_INDEX }, body } },
    ]);
    const error = await failure(pushed(from, registry));
    expect(error).toMatchObject({ exitCode: 10, message: expect.stringContaining("does not list it") });
    expect(registry.content.manifests.has("mirror/app:1")).toBe(true);
  });

  test("push() puts a referrer that a registry lists and no longer has", async () => {
    const from = await scene();
    const { image, sbom } = from;
    const entry = { ...sbom.descriptor, artifactType: SBOM };
    const list = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
    const reply = { status: 200, headers: { "content-type": OCI_INDEX }, body: Buffer.from(list) };
    const registry = await target(true, [{ on: new RegExp(`/referrers/${image}$`), times: 1, reply }]);
    await pushed(from, registry);
    expect(registry.content.manifests.has(sbom.digest)).toBe(true);
    expect(registry.content.manifests.has(`mirror/app:${tagOf(image)}`)).toBe(false);
  });

  test("push() writes the index where a registry sends OCI-Subject without having the API (ECR)", async () => {
    const from = await scene();
    const registry = await target(true, [{ on: /\/referrers\//, reply: { status: 404 } }]);
    await pushed(from, registry);
    expect(indexIn(registry, from.image)).toHaveLength(1);
  });

  test("push() with another name takes what refers to the image along", async () => {
    const from = await scene();
    const registry = await target(true);
    await push([from.archive], { tag: `${registry.host}/other/name:2` });
    expect(puts(registry)).toContain(tagOf(from.image, ".sig"));
    expect(registry.seen(/^PUT .*\/v2\/other\/name\/manifests\//)).toHaveLength(5);
  });
});

describe("push() of a sparse index that others rely on", () => {
  /** An archive with one of two platforms; the index has a signature, if told so. */
  async function sparse(isSigned: boolean, reference: (host: string, digest: string) => string): Promise<string> {
    const source = await ScriptedRegistry.start();
    const { content } = source;
    content.hasReferrers = true;
    const entry = (architecture: string): object => {
      const { digest } = storeImage(content, [Buffer.from(architecture)]);
      const size = content.manifests.get(digest)?.bytes.length;
      return { mediaType: MANIFEST, digest, size, platform: { os: "linux", architecture } };
    };
    const index = putIndex(content, "app:1", [entry("amd64"), entry("arm64")]);
    if (isSigned) putReferrer(content, "app", { subject: index, artifactType: NOTATION });
    const archive = join(await temporaryFolder(), "out.tar");
    await pull([reference(source.host, index)], { output: archive, platform: "linux/amd64" });
    return archive;
  }

  test.each([
    ["is signed", true, (host: string) => `${host}/app:1`],
    ["is pinned by its digest", false, (host: string, digest: string) => `${host}/app:1@${digest}`],
  ])("push() of one that %s refuses to prune it unasked: exit 3", async (_why, isSigned, reference) => {
    const archive = await sparse(isSigned, reference);
    const registry = await target(true);
    const refused = await failure(push([archive], { to: registry.host }));
    expect(refused).toMatchObject({
      exitCode: 3,
      reason: "sparse-index",
      hint: expect.stringContaining("--sparse keep"),
    });
    expect(registry.seen(/^(PUT|POST|PATCH)/)).toEqual([]);
    const notes: string[] = [];
    const onProgress: NonNullable<Parameters<typeof push>[1]>["onProgress"] = event =>
      void (event.kind === "note" && notes.push(event.message));
    const { images } = await push([archive], { to: registry.host, sparse: "prune", onProgress });
    expect(images[0]?.previousDigest).toBeDefined();
    expect(notes.join()).toMatch(/becomes sha256:[0-9a-f]+: names with its digest and signatures of it no longer fit/);
    expect((await push([archive], { to: registry.host, sparse: "keep" })).images[0]).not.toHaveProperty(
      "previousDigest",
    );
  });

  test.each([
    ["is signed", true, (host: string) => `${host}/app:1`],
    ["is pinned by its digest", false, (host: string, digest: string) => `${host}/app:1@${digest}`],
  ])("convert() of one that %s refuses to prune it unasked: exit 3", async (_why, isSigned, reference) => {
    const pulled = await sparse(isSigned, reference);
    const [archive, output] = [`${pulled}.layout/`, `${pulled}.converted/`];
    await convert(pulled, { output: archive });
    // What another program wrote has no lock, which says that the index is to stay.
    await rm(join(archive, "imgpack.json"));
    expect(await failure(convert(archive, { output, tag: "renamed.lan/app:2" }))).toMatchObject({
      exitCode: 3,
      reason: "sparse-index",
      hint: expect.stringContaining("--sparse keep"),
    });
    expect((await convert(archive, { output, sparse: "prune" })).images[0]?.previousDigest).toBeDefined();
    // A docker archive has no index.
    await convert(archive, { output: `${pulled}.docker`, format: "docker" });
  });

  test("push() prunes one that no one relies on, as ever", async () => {
    const archive = await sparse(false, host => `${host}/app:1`);
    const registry = await target(true);
    expect((await push([archive], { to: registry.host })).images[0]?.previousDigest).toBeDefined();
  });
});

describe("copy() of what refers to an image", () => {
  test("copyTo() carries it, and delivers to an image that is there what is missing", async () => {
    const from = await scene();
    const registry = await target(false);
    const source = `${from.source.host}/app:1`;
    await copyTo([source], `${registry.host}/mirror`, { referrers: false });
    expect(puts(registry)).toEqual(["1"]);
    registry.requests.length = 0;
    const { images } = await copyTo([source], `${registry.host}/mirror`);
    expect(images[0]?.referrers).toMatchObject({ lookup: "complete", signatures: 2, sboms: 1 });
    expect(indexIn(registry, from.image)).toHaveLength(1);
    expect(puts(registry)).toContain(tagOf(from.image, ".sig"));
    expect(puts(registry)).not.toContain("1");
    registry.requests.length = 0;
    await copyTo([source], `${registry.host}/mirror`);
    expect(puts(registry)).toEqual([]);
  });
});
