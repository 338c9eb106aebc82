import { describe, expect, test } from "vitest";
import { OCI_FOREIGN_LAYER_GZIP, OCI_INDEX, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import {
  descriptor,
  digestOf,
  errorCodes,
  imageManifest,
  pushBlob,
  pushImage,
  putManifest,
  send,
  start,
} from "./registry-client.ts";

function index(children: readonly object[], more: object = {}): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: children, ...more });
}

describe("PUT manifest", () => {
  test("by tag: both the tag and the digest return the exact bytes", async () => {
    const registry = await start();
    const manifest = await pushImage(registry, "team/app", "1.0");
    for (const reference of ["1.0", digestOf(manifest)]) {
      const path = `/v2/team/app/manifests/${reference}`;
      const got = await send(registry, "GET", path);
      const head = await send(registry, "HEAD", path);
      expect(got.status).toBe(200);
      expect(got.body.toString()).toBe(manifest);
      expect(got.headers).toMatchObject({
        "content-type": OCI_MANIFEST,
        "content-length": String(manifest.length),
        "docker-content-digest": digestOf(manifest),
      });
      expect(head.body.length).toBe(0);
      expect({ ...head.headers, date: "" }).toEqual({ ...got.headers, date: "" });
    }
  });

  test("by digest: in sha512 too, with several tags at once", async () => {
    const registry = await start();
    await pushImage(registry, "app", "x");
    const manifest = imageManifest("{}", "layer", { annotations: { a: "b" } });
    const digest = digestOf(manifest, "sha512");
    const reply = await putManifest(registry, `/v2/app/manifests/${digest}?tag=one&tag=two&tag=one`, manifest);
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      location: `/v2/app/manifests/${digest}`,
      "docker-content-digest": digest,
      "oci-tag": "one, two",
    });
    const { headers } = await send(registry, "HEAD", "/v2/app/manifests/two");
    expect(headers["docker-content-digest"]).toBe(digest);
    expect((await send(registry, "GET", `/v2/app/manifests/${digestOf(manifest)}`)).status).toBe(404);
  });

  test("refuses bytes that are not what the digest says", async () => {
    const registry = await start();
    const manifest = await pushImage(registry, "app", "x");
    const reply = await putManifest(registry, `/v2/app/manifests/${digestOf(manifest)}`, `${manifest} `);
    expect([reply.status, ...errorCodes(reply)]).toEqual([400, "DIGEST_INVALID"]);
  });

  test.each([
    ["no JSON", "{", OCI_MANIFEST],
    ["a Content-Type that the body denies", imageManifest("{}", "layer"), OCI_INDEX],
    ["a Content-Type of no manifest", imageManifest("{}", "layer"), "text/html"],
    ["CVE-2021-41190 image and index in one", imageManifest("{}", "layer", { manifests: [] }), OCI_MANIFEST],
    ["a repeated key", imageManifest("{}", "layer").replace("{", '{"config":{},'), OCI_MANIFEST],
    ["schema 1", JSON.stringify({ schemaVersion: 1, fsLayers: [] }), "application/json"],
  ])("refuses %s", async (_case, body, type) => {
    const registry = await start();
    await pushImage(registry, "app", "x");
    const reply = await putManifest(registry, "/v2/app/manifests/y", body, type);
    expect([reply.status, ...errorCodes(reply)]).toEqual([400, "MANIFEST_INVALID"]);
    expect((await send(registry, "GET", "/v2/app/manifests/y")).status).toBe(404);
  });

  test("takes unknown fields, no layers, a Content-Type with parameters, and none at all", async () => {
    const registry = await start();
    await pushBlob(registry, "app", "{}");
    const manifest = imageManifest("{}", "", { layers: [], "org.example.custom": { a: [1] } });
    const typed = await putManifest(registry, "/v2/app/manifests/a", manifest, `${OCI_MANIFEST}; charset=utf-8`);
    const bare = await send(registry, "PUT", "/v2/app/manifests/b", { body: manifest });
    expect([typed.status, bare.status]).toEqual([201, 201]);
    expect((await send(registry, "HEAD", "/v2/app/manifests/a")).headers["content-type"]).toBe(OCI_MANIFEST);
  });

  test("M-09 takes 4 MiB, refuses more, also when the length is not announced", async () => {
    const registry = await start();
    await pushImage(registry, "app", "x");
    const text = (bytes: number): string => {
      const frame = imageManifest("{}", "layer", { annotations: { a: "", b: "", c: "", d: "", e: "" } });
      const rest = bytes - frame.length;
      return [..."abcde"].reduce((sum, key, turn) => {
        const part = turn === 4 ? rest - 4 * Math.floor(rest / 5) : Math.floor(rest / 5);
        return sum.replace(`"${key}":""`, `"${key}":"${"x".repeat(part)}"`);
      }, frame);
    };
    const limit = 4 * 1024 * 1024;
    expect((await putManifest(registry, "/v2/app/manifests/a", text(limit))).status).toBe(201);
    const large = Buffer.from(text(limit + 1));
    for (const body of [large, [large]]) {
      const reply = await send(registry, "PUT", "/v2/app/manifests/b", { body });
      expect([reply.status, ...errorCodes(reply)]).toEqual([413, "SIZE_INVALID"]);
    }
  });
});

describe("children of a manifest", () => {
  test("an image without its layer is refused, naming it; a blob of another repository does not count", async () => {
    const registry = await start();
    await pushBlob(registry, "app", "{}");
    await pushBlob(registry, "other", "layer");
    const reply = await putManifest(registry, "/v2/app/manifests/x", imageManifest("{}", "layer"));
    expect([reply.status, ...errorCodes(reply)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    expect(reply.body.toString()).toContain(digestOf("layer"));
  });

  test("a layer that is not for distribution may be missing", async () => {
    const registry = await start();
    await pushBlob(registry, "app", "{}");
    const manifest = imageManifest("{}", "", { layers: [descriptor(OCI_FOREIGN_LAYER_GZIP, "far away")] });
    expect((await putManifest(registry, "/v2/app/manifests/x", manifest)).status).toBe(201);
  });

  test("an index needs one of its children at least; an empty one needs none", async () => {
    const registry = await start();
    const manifest = await pushImage(registry, "app", "x");
    const there = descriptor(OCI_MANIFEST, manifest);
    const away = descriptor(OCI_MANIFEST, "another platform");
    const statuses: number[] = [];
    for (const children of [[], [there], [there, away], [away]]) {
      statuses.push((await putManifest(registry, "/v2/app/manifests/all", index(children), OCI_INDEX)).status);
    }
    expect(statuses).toEqual([201, 201, 201, 400]);
  });

  test("a subject may come later", async () => {
    const registry = await start();
    const subject = descriptor(OCI_MANIFEST, "later");
    await pushImage(registry, "app", "signature", { subject });
    const again = await putManifest(registry, "/v2/app/manifests/signature", imageManifest("{}", "layer", { subject }));
    expect(again.headers["oci-subject"]).toBe(digestOf("later"));
  });
});

describe("DELETE manifest", () => {
  test("by tag removes the tag alone, by digest the manifest with its other tags", async () => {
    const registry = await start();
    const manifest = await pushImage(registry, "app", "one");
    for (const tag of ["two", "three"]) await putManifest(registry, `/v2/app/manifests/${tag}`, manifest);
    const digest = digestOf(manifest);
    expect((await send(registry, "DELETE", "/v2/app/manifests/one")).status).toBe(202);
    expect((await send(registry, "GET", "/v2/app/manifests/one")).status).toBe(404);
    expect((await send(registry, "GET", `/v2/app/manifests/${digest}`)).status).toBe(200);
    expect((await send(registry, "DELETE", `/v2/app/manifests/${digest}`)).status).toBe(202);
    for (const reference of ["two", "three", digest]) {
      const reply = await send(registry, "GET", `/v2/app/manifests/${reference}`);
      expect([reply.status, ...errorCodes(reply)]).toEqual([404, "MANIFEST_UNKNOWN"]);
    }
    expect((await send(registry, "GET", `/v2/app/blobs/${digestOf("layer")}`)).status).toBe(200);
  });

  test("answers 404 for what is not there", async () => {
    const registry = await start();
    const unknown = await send(registry, "DELETE", "/v2/app/manifests/x");
    expect([unknown.status, ...errorCodes(unknown)]).toEqual([404, "NAME_UNKNOWN"]);
  });
});

test("PUT manifest: racing pushes of one tag leave one of them, in memory and on disk", async () => {
  const registry = await start();
  await pushImage(registry, "app", "x");
  const manifests = Array.from({ length: 12 }, (_, n) => imageManifest("{}", "layer", { annotations: { n: `${n}` } }));
  await Promise.all(manifests.map(async body => await putManifest(registry, "/v2/app/manifests/race", body)));
  const { body } = await send(registry, "GET", "/v2/app/manifests/race");
  expect(manifests).toContain(body.toString());
});
