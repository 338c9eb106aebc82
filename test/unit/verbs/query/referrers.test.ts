import { describe, expect, test } from "vitest";
import { referrersTag } from "../../../../src/oci/referrers/referrers-tag.ts";
import { referrers } from "../../../../src/verbs/query/referrers.ts";
import type { Reply } from "../../../support/memory-registry.ts";
import { json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { type BuiltImage, putImage } from "./listed-registry.ts";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

function descriptorOf({ digest, bytes }: BuiltImage, artifactType: string): object {
  return { mediaType: OCI_MANIFEST, digest, size: bytes.length, artifactType };
}

function index(manifests: readonly object[], headers: Record<string, string> = {}): Reply {
  const answer = json(200, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  return { ...answer, headers: { "content-type": OCI_INDEX, ...headers } };
}

async function start(): Promise<{ registry: ScriptedRegistry; image: BuiltImage; sbom: object; signature: object }> {
  const registry = await ScriptedRegistry.start();
  const image = putImage(registry.content, ["app:1"]);
  const sbom = descriptorOf(putImage(registry.content, ["app:sbom"]), "application/spdx+json");
  const signature = descriptorOf(putImage(registry.content, ["app:sig"]), "application/vnd.example.sig");
  return { registry, image, sbom, signature };
}

describe("referrers()", () => {
  test("referrers() reads the API, page by page, and filters whatever the registry did", async () => {
    const { registry, image, sbom, signature } = await start();
    const next = `</v2/app/referrers/${image.digest}?after=1>; rel="next"`;
    registry.addFault({ on: /after=1/, times: 9, reply: index([signature]) });
    registry.addFault({ on: /referrers/, times: 9, reply: index([sbom], { link: next }) });
    const all = await referrers(`${registry.host}/app:1`);
    expect(all).toEqual({
      subject: `${registry.host}/app@${image.digest}`,
      digest: image.digest,
      via: "api",
      referrers: [sbom, signature],
    });
    const some = await referrers(`${registry.host}/app:1`, { artifactType: "application/vnd.example.sig" });
    expect(some.referrers).toEqual([signature]);
    expect(registry.seen(/artifactType=application%2Fvnd\.example\.sig/)).toHaveLength(1);
  });

  test.each<[string, Partial<Reply>]>([
    ["404", { status: 404 }],
    ["405", { status: 405 }],
    ["429", { status: 429 }],
    ["403", { status: 403 }],
    ["200 and a web page", { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<html>") }],
    ["200 and nothing", { status: 200, headers: { "content-type": OCI_INDEX } }],
    ["303 to a web page elsewhere", { status: 303, headers: { location: "http://127.0.0.1:9/login" } }],
  ])("referrers() reads the tag that stands in where the API answers %s", async (name, reply) => {
    const { registry, image, sbom } = await start();
    if (name.startsWith("303")) {
      const page = await ScriptedRegistry.start({
        faults: [
          {
            on: /login/,
            reply: { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<html>") },
          },
        ],
      });
      registry.addFault({ on: /referrers/, reply: { ...reply, headers: { location: `${page.url}/login` } } });
    } else registry.addFault({ on: /referrers/, times: 9, reply });
    registry.content.addManifest(
      `app:${referrersTag(image.digest as `sha256:${string}`)}`,
      OCI_INDEX,
      index([sbom]).body,
    );
    expect(await referrers(`${registry.host}/app:1`)).toMatchObject({ via: "tag", referrers: [sbom] });
    // What is limited is asked for with all retries, and once more after another request was taken.
    expect(registry.seen(/referrers/)).toHaveLength(name === "429" ? 6 : 1);
  });

  test.each<[number, number, Partial<Reply>]>([
    [403, 4, { status: 403 }],
    [429, 8, { status: 429 }],
    [200, 8, { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<html>") }],
  ])("referrers() fails where the API refuses (%i), and there is no tag", async (_status, exitCode, reply) => {
    const { registry } = await start();
    registry.addFault({ on: /referrers/, times: 9, reply });
    await expect(referrers(`${registry.host}/app:1`)).rejects.toMatchObject({ exitCode });
  });

  test("referrers() gives an empty list where nothing refers to the image", async () => {
    const { registry } = await start();
    expect(await referrers(`${registry.host}/app:1`)).toMatchObject({ via: "tag", referrers: [] });
    await expect(referrers(`${registry.host}/app:none`)).rejects.toMatchObject({ exitCode: 5 });
  });

  test("M-20 referrers() drops an entry that names the image itself, or is no manifest", async () => {
    const { registry, image, sbom } = await start();
    const layer = { mediaType: "application/octet-stream", digest: `sha256:${"a".repeat(64)}`, size: 1 };
    registry.addFault({ on: /referrers/, reply: index([descriptorOf(image, "x"), layer, sbom]) });
    expect((await referrers(`${registry.host}/app:1`)).referrers).toEqual([sbom]);
  });

  test("M-05 referrers() refuses a malformed digest in the list", async () => {
    const { registry } = await start();
    const bad = { mediaType: OCI_MANIFEST, digest: "sha256:../../x", size: 1 };
    registry.addFault({ on: /referrers/, reply: index([bad]) });
    await expect(referrers(`${registry.host}/app:1`)).rejects.toMatchObject({
      exitCode: 8,
      cause: { reason: "bad-digest" },
    });
  });

  test("A-06 referrers() refuses a page link to another origin", async () => {
    const { registry, sbom } = await start();
    registry.addFault({ on: /referrers/, reply: index([sbom], { link: `<https://evil.example/x>; rel="next"` }) });
    await expect(referrers(`${registry.host}/app:1`)).rejects.toMatchObject({ exitCode: 8 });
  });
});

describe("referrersTag()", () => {
  test("referrersTag() cuts a sha512 digest to 64 digits", () => {
    expect(referrersTag(`sha256:${"ab".repeat(32)}`)).toBe(`sha256-${"ab".repeat(32)}`);
    expect(referrersTag(`sha512:${"ab".repeat(64)}`)).toBe(`sha512-${"ab".repeat(32)}`);
  });
});
