import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyTo, type PullResult, pull } from "../../src/index.ts";
import { storeImage, temporaryFolder } from "../support/images.ts";
import type { Reply } from "../support/memory-registry.ts";
import { putIndex, putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { archiveNames, lockIn } from "./referrers-support.ts";

const LAYERS = [Buffer.from("layer")];
const SBOM = "application/spdx+json";
const NOTATION = "application/vnd.cncf.notary.signature";

interface Scene {
  readonly registry: ScriptedRegistry;
  readonly digest: string;
}

async function start(faults: readonly Fault[] = [], hasReferrers = true): Promise<Scene> {
  const registry = await ScriptedRegistry.start({ faults: faults.map(fault => ({ times: 99, ...fault })) });
  registry.content.hasReferrers = hasReferrers;
  return { registry, digest: storeImage(registry.content, LAYERS).digest };
}

interface Pulled extends PullResult {
  readonly bytes: Buffer;
  readonly notes: readonly string[];
}

async function pulled({ registry }: Scene, options: Partial<Parameters<typeof pull>[1]> = {}): Promise<Pulled> {
  const output = join(await temporaryFolder(), "out.tar");
  const notes: string[] = [];
  const result = await pull([`${registry.host}/app:1`], {
    output,
    platform: "linux/amd64",
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
    ...options,
  });
  return { ...result, bytes: await readFile(output), notes };
}

describe("pull() and what refers to an image", () => {
  test("pull() carries what the referrers API lists, and what refers to that, but not as images", async () => {
    const scene = await start();
    const { content } = scene.registry;
    const sbom = putReferrer(content, "app", { subject: scene.digest, artifactType: SBOM });
    const signature = putReferrer(content, "app", { subject: sbom.digest, artifactType: NOTATION });
    const { bytes, images } = await pulled(scene);
    for (const part of [sbom, signature]) {
      expect(bytes.includes(part.bytes)).toBe(true);
      expect(bytes.includes(part.layer)).toBe(true);
    }
    expect(images).toHaveLength(1);
    expect(images[0]?.referrers).toEqual({
      lookup: "complete",
      signatures: 1,
      sboms: 1,
      attestations: 0,
      others: 0,
      leftOut: 0,
    });
    expect(archiveNames(bytes)).toEqual([`${scene.registry.host}/app:1`]);
    const { images: rows, blobs } = lockIn(bytes);
    expect(rows[0]).toMatchObject({
      lookup: "complete",
      referrers: [
        { digest: sbom.digest, subject: scene.digest, type: SBOM },
        { digest: signature.digest, subject: sbom.digest, type: NOTATION },
      ].sort((left, right) => (left.digest < right.digest ? -1 : 1)),
    });
    const home = [`${scene.registry.host}/app`];
    expect(blobs.find(([digest]) => digest === signature.digest)?.[3]).toEqual(home);
  });

  test("pull() finds cosign's tags and the tag that replaces the API by one list of tags", async () => {
    const scene = await start([], false);
    const { content } = scene.registry;
    const signature = putReferrer(content, "app", { tag: tagOf(scene.digest, ".sig") });
    const attestation = putReferrer(content, "app", { tag: tagOf(scene.digest, ".att"), text: "provenance" });
    const sbom = putReferrer(content, "app", { subject: scene.digest, artifactType: SBOM });
    putIndex(content, `app:${tagOf(scene.digest)}`, [sbom.descriptor]);
    const { bytes, images } = await pulled(scene);
    for (const part of [signature, attestation, sbom]) expect(bytes.includes(part.bytes)).toBe(true);
    expect(images[0]?.referrers).toMatchObject({ lookup: "complete", signatures: 1, sboms: 1, attestations: 1 });
    expect(scene.registry.seen(/tags\/list/)).toHaveLength(1);
    expect(scene.registry.seen(/\/referrers\//)).toHaveLength(1);
    // Each manifest once: the image, three of referrers, and the index of the tag.
    expect(scene.registry.seen(/^GET .*\/manifests\//)).toHaveLength(5);
  });

  test("pull() of an image without signatures costs one list of tags and one request to an API", async () => {
    for (const hasReferrers of [true, false]) {
      const scene = await start([], hasReferrers);
      const { images, requests } = await pulled(scene);
      const without = await pulled(scene, { referrers: false });
      expect(requests - without.requests).toBe(2);
      expect(images[0]?.referrers).toMatchObject({ lookup: "complete", signatures: 0 });
      expect(without.images[0]).not.toHaveProperty("referrers");
    }
  });

  test("pull() with referrers: false leaves them", async () => {
    const scene = await start();
    const sbom = putReferrer(scene.registry.content, "app", { subject: scene.digest, artifactType: SBOM });
    const { bytes } = await pulled(scene, { referrers: false });
    expect(bytes.includes(sbom.digest.slice("sha256:".length))).toBe(false);
  });

  test("pull() carries what refers to the platform, and counts what belongs to the others", async () => {
    const scene = await start();
    const { content } = scene.registry;
    const arm = storeImage(content, [Buffer.from("arm")]).digest;
    const entry = (digest: string, architecture: string): object => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: content.manifests.get(digest)?.bytes.length,
      platform: { os: "linux", architecture },
    });
    putIndex(content, "app:1", [entry(scene.digest, "amd64"), entry(arm, "arm64")]);
    const kept = putReferrer(content, "app", { subject: scene.digest, artifactType: SBOM });
    const left = putReferrer(content, "app", { subject: arm, artifactType: SBOM });
    const { bytes, images, notes } = await pulled(scene);
    expect([bytes.includes(kept.bytes), bytes.includes(left.bytes)]).toEqual([true, false]);
    expect(images[0]?.referrers).toMatchObject({ sboms: 1, leftOut: 1 });
    expect(notes.join()).toMatch(/leaving out 1 referrer .*other platforms/);
  });

  test.each<[string, string, Partial<Reply>]>([
    ["the API is forbidden", "refused", { status: 403 }],
    [
      "the API is a login page",
      "refused",
      { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<html>") },
    ],
    ["the API has a limit", "refused", { status: 429 }],
    ["the API does not exist", "complete", { status: 405 }],
  ])("pull() knows by the list of tags what there is, if %s: %s", async (_name, lookup, reply) => {
    const scene = await start([{ on: /\/referrers\//, reply }]);
    const signature = putReferrer(scene.registry.content, "app", { tag: tagOf(scene.digest, ".sig") });
    const { bytes, images } = await pulled(scene);
    expect(images[0]?.referrers).toMatchObject({ lookup, signatures: 1 });
    expect(bytes.includes(signature.bytes)).toBe(true);
  });

  test.each<[string, string, number, Partial<Reply>]>([
    ["may not list tags, asks for each tag", "complete", 403, { status: 404 }],
    ["may not read .sig either, does not say that there is none", "refused", 403, { status: 403 }],
    ["may not read .sig, because of a fault, does not say that there is none", "refused", 200, { status: 400 }],
    ["has neither API nor lists, does not say that there is none", "unsupported", 404, { status: 404 }],
  ])("pull(), if it %s: %s", async (_name, lookup, listStatus, sig) => {
    const tag = /manifests\/sha256-[0-9a-f]+\.sig/;
    const scene = await start(
      [...(listStatus === 200 ? [] : [{ on: /tags\/list/, reply: { status: listStatus } }]), { on: tag, reply: sig }],
      false,
    );
    if (listStatus === 200) putReferrer(scene.registry.content, "app", { tag: tagOf(scene.digest, ".sig") });
    const attestation = putReferrer(scene.registry.content, "app", { tag: tagOf(scene.digest, ".att") });
    const { bytes, images } = await pulled(scene);
    expect(images[0]?.referrers).toMatchObject({ lookup, signatures: 0, attestations: 1 });
    expect(bytes.includes(attestation.bytes)).toBe(true);
  });

  test("pull() believes the referrer's own manifest, and not the index that lists it", async () => {
    const scene = await start([], false);
    const { content } = scene.registry;
    const liar = putReferrer(content, "app", { subject: `sha256:${"a".repeat(64)}`, text: "of another" });
    const none = putReferrer(content, "app", { text: "of none" });
    const gone = { ...liar.descriptor, digest: `sha256:${"b".repeat(64)}` };
    const sbom = putReferrer(content, "app", { subject: scene.digest, artifactType: SBOM });
    const lying = { ...sbom.descriptor, artifactType: NOTATION, size: 1 };
    putIndex(content, `app:${tagOf(scene.digest)}`, [liar.descriptor, none.descriptor, gone, lying]);
    const { bytes, images, notes } = await pulled(scene);
    expect([liar, none, sbom].map(part => bytes.includes(part.bytes))).toEqual([false, false, true]);
    expect(images[0]?.referrers).toMatchObject({ signatures: 0, sboms: 1, others: 0 });
    expect(notes.filter(note => note.startsWith("Ignoring sha256:"))).toHaveLength(3);
  });

  test("pull() and copyTo() refuse images that lack what is required, all named at once: exit 5", async () => {
    const scene = await start();
    const { content, host } = scene.registry;
    const sbom = { artifactType: SBOM, subject: scene.digest };
    const other = storeImage(content, [Buffer.from("other")]).digest;
    const [one, two] = [`${host}/app@${scene.digest}`, `${host}/app@${other}`];
    putReferrer(content, "app", sbom);
    const options = { output: join(await temporaryFolder(), "out.tar"), platform: "linux/amd64" };
    const required = { ...options, requireReferrers: ["sbom", "sig"] as const };
    await expect(pull([one, two], required)).rejects.toMatchObject({
      exitCode: 5,
      message: `Cannot pull 2 images: ${one} (no signature); ${two} (no SBOM, no signature), expected what --require-referrers names`,
    });
    const copied = copyTo([two], host, { requireReferrers: "sig" });
    await expect(copied).rejects.toMatchObject({ exitCode: 5 });
    await expect(pull([one], { ...required, referrers: false })).rejects.toMatchObject({ exitCode: 2 });
    scene.registry.addFault({ on: /\/referrers\//, times: 99, reply: { status: 403 } });
    await expect(pull([one], { ...options, requireReferrers: "sbom" })).rejects.toMatchObject({
      message: /no SBOM found, and the registry does not say whether there is one/,
    });
    expect(await readdir(join(options.output, ".."))).toEqual([]);
  });

  test("pull() ends where signatures sign each other in a circle", async () => {
    const scene = await start([], false);
    const { content } = scene.registry;
    const first = putReferrer(content, "app", { tag: tagOf(scene.digest, ".sig") });
    content.addManifest(
      `app:${tagOf(first.digest, ".sig")}`,
      "application/vnd.oci.image.manifest.v1+json",
      first.bytes,
    );
    expect((await pulled(scene)).images[0]?.referrers).toMatchObject({ signatures: 2 });
  });

  test("pull() refuses an image with more than 1000 referrers before it reads them", async () => {
    const entry = (number: number): object => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${String(number).padStart(64, "0")}`,
      size: 1,
    });
    const manifests = Array.from({ length: 1001 }, (_none, number) => entry(number));
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
    const headers = { "content-type": "application/vnd.oci.image.index.v1+json" };
    const scene = await start([{ on: /\/referrers\//, reply: { status: 200, headers, body } }]);
    await expect(pulled(scene)).rejects.toMatchObject({ exitCode: 8, message: /more than 1000 referrers/ });
    expect(scene.registry.seen(/manifests\/sha256:0/)).toHaveLength(0);
  });
});
