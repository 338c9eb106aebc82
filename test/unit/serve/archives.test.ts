import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import type { RunningRegistry } from "../../../src/serve/server.ts";
import { fileWith, seededBytes } from "../../support/images.ts";
import { type LayoutImage, layoutArchive } from "../../support/layout-archives.ts";
import { startArchives } from "./archive-registry.ts";
import { digestOf, errorCodes, type Reply, send } from "./registry-client.ts";

const FIXTURES = "fixtures";

function json<T>(reply: Reply): T {
  return JSON.parse(reply.body.toString()) as T;
}

async function names(registry: RunningRegistry, query = ""): Promise<readonly string[]> {
  return json<{ repositories: string[] }>(await send(registry, "GET", `/v2/_catalog${query}`)).repositories;
}

function image(name: string, seed = name, more?: object): LayoutImage {
  return { names: name === "" ? [] : [name], layers: [seededBytes(seed, 3000)], more };
}

async function startLayout(images: readonly LayoutImage[], events: ServeEvent[] = []): Promise<RunningRegistry> {
  return await startArchives([await fileWith(layoutArchive(images).bytes)], events);
}

describe("names", () => {
  const IMAGES = [
    "docker.io/library/alpine:3",
    "docker.io/team/app:1",
    "quay.io/team/app:2",
    "registry.lan:5000/team/app:3",
    "registry.lan:5000/only/here:1",
    "quay.io/both/two:1",
    "ghcr.io/both/two:1",
    "[fd00::1]:5000/six/app:1",
  ];

  test.each([
    ["alpine", "", 200, ["3"]],
    ["library/alpine", "", 200, ["3"]],
    ["docker.io/library/alpine", "", 200, ["3"]],
    ["team/app", "", 200, ["1"]],
    ["quay.io/team/app", "", 200, ["2"]],
    ["registry.lan_5000/team/app", "", 200, ["3"]],
    ["only/here", "", 200, ["1"]],
    ["fd00--1_5000/six/app", "", 200, ["1"]],
    ["both/two", "", 404, "NAME_UNKNOWN"],
    ["nowhere", "", 404, "NAME_UNKNOWN"],
    ["team/app", "quay.io", 200, ["2"]],
    ["team/app", "registry.lan:5000", 200, ["3"]],
    ["both/two", "ghcr.io", 200, ["1"]],
    ["alpine", "docker.io", 200, ["3"]],
    ["library/alpine", "docker.io", 200, ["3"]],
    ["only/here", "quay.io", 404, "NAME_UNKNOWN"],
    ["quay.io/team/app", "quay.io", 200, ["2"]],
    ["quay.io/team/app", "ghcr.io", 404, "NAME_UNKNOWN"],
    ["team/app", "example.com", 404, "NAME_UNKNOWN"],
  ] as const)("%s with ns=%s is %i %j", async (name, ns, status, expected) => {
    const registry = await startLayout(IMAGES.map(one => image(one)));
    const query = ns === "" ? "" : `?ns=${encodeURIComponent(ns)}`;
    const reply = await send(registry, "GET", `/v2/${name}/tags/list${query}`);
    expect(reply.status).toBe(status);
    if (status === 404) {
      expect(errorCodes(reply)).toEqual([expected]);
      return;
    }
    expect(json(reply)).toEqual({ name, tags: expected });
    expect(reply.headers["oci-namespace"]).toBe(ns === "" ? undefined : ns);
    const [tag = ""] = expected as readonly string[];
    const manifest = await send(registry, "GET", `/v2/${name}/manifests/${tag}${query}`);
    expect([manifest.status, manifest.headers["oci-namespace"]]).toEqual([200, ns === "" ? undefined : ns]);
  });

  test("an ambiguous one is answered with the full names", async () => {
    const registry = await startLayout(IMAGES.map(one => image(one)));
    const reply = await send(registry, "GET", "/v2/both/two/manifests/1");
    const { errors } = json<{ errors: { detail: object }[] }>(reply);
    expect(errors[0]?.detail).toEqual({ names: ["ghcr.io/both/two", "quay.io/both/two"] });
  });

  test("the catalog has full names, and with ns the names of that registry; pages of it keep ns", async () => {
    const registry = await startLayout(IMAGES.map(one => image(one)));
    expect(await names(registry)).toEqual([
      "docker.io/library/alpine",
      "docker.io/team/app",
      "fd00--1_5000/six/app",
      "ghcr.io/both/two",
      "quay.io/both/two",
      "quay.io/team/app",
      "registry.lan_5000/only/here",
      "registry.lan_5000/team/app",
    ]);
    expect(await names(registry, "?ns=quay.io")).toEqual(["both/two", "team/app"]);
    const page = await send(registry, "GET", "/v2/_catalog?ns=quay.io&n=1");
    expect(page.headers["link"]).toBe('</v2/_catalog?n=1&last=both%2Ftwo&ns=quay.io>; rel="next"');
    expect((await send(registry, "GET", "/v2/_catalog?ns=example.com")).status).toBe(404);
  });

  test("a name with a digest alone is pulled by its digest, and an image without a name is noted", async () => {
    const events: ServeEvent[] = [];
    const { manifests, bytes } = layoutArchive([image("docker.io/library/app:1"), image("")]);
    const registry = await startArchives([await fileWith(bytes)], events);
    const notes = events.flatMap(event => (event.kind === "note" ? [event.message] : []));
    expect(notes.join()).toMatch(/^1 image has no name and cannot be pulled/);
    expect((await send(registry, "GET", `/v2/app/manifests/${manifests[0]}`)).status).toBe(200);
    expect((await send(registry, "GET", `/v2/app/manifests/${manifests[1]}`)).status).toBe(404);
  });
});

describe("reading", () => {
  test("S-01 a blob is read only under repositories whose manifests lead to it", async () => {
    const registry = await startLayout([image("a.lan/one:1", "one"), image("a.lan/two:1", "two")]);
    const digest = digestOf(seededBytes("one", 3000));
    expect((await send(registry, "GET", `/v2/one/blobs/${digest}`)).status).toBe(200);
    expect((await send(registry, "GET", `/v2/two/blobs/${digest}`)).status).toBe(404);
  });

  test("HEAD, Range, If-Range and If-None-Match are answered as for a store", async () => {
    const registry = await startLayout([image("a.lan/one:1", "one")]);
    const bytes = seededBytes("one", 3000);
    const path = `/v2/one/blobs/${digestOf(bytes)}`;
    const etag = `"${digestOf(bytes)}"`;
    const head = await send(registry, "HEAD", path);
    expect([head.status, head.headers["content-length"], head.headers.etag]).toEqual([200, "3000", etag]);
    const part = await send(registry, "GET", path, { headers: { range: "bytes=1000-1999" } });
    expect([part.status, part.headers["content-range"]]).toEqual([206, "bytes 1000-1999/3000"]);
    expect(part.body.equals(bytes.subarray(1000, 2000))).toBe(true);
    const other = await send(registry, "GET", path, { headers: { range: "bytes=1000-1999", "if-range": '"x"' } });
    expect([other.status, other.body.length]).toEqual([200, 3000]);
    const beyond = await send(registry, "GET", path, { headers: { range: "bytes=3000-" } });
    expect(beyond.status).toBe(416);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const same = await send(registry, "GET", path, { headers: { "if-none-match": known } });
      expect([same.status, same.body.length, same.headers.etag]).toEqual([304, 0, etag]);
    }
    const manifest = await send(registry, "GET", "/v2/one/manifests/1");
    const again = await send(registry, "GET", "/v2/one/manifests/1", {
      headers: { "if-none-match": manifest.headers.etag ?? "" },
    });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test("writes are 405 UNSUPPORTED", async () => {
    const registry = await startLayout([image("a.lan/one:1")]);
    for (const [method, path, allow] of [
      ["POST", "/v2/one/blobs/uploads/", ""],
      ["GET", "/v2/one/blobs/uploads/1", ""],
      ["PUT", "/v2/one/manifests/1", "GET, HEAD"],
      ["DELETE", "/v2/one/manifests/1", "GET, HEAD"],
      ["DELETE", `/v2/one/blobs/${digestOf("x")}`, "GET, HEAD"],
    ] as const) {
      const reply = await send(registry, method, path);
      expect([reply.status, reply.headers.allow, ...errorCodes(reply)]).toEqual([405, allow, "UNSUPPORTED"]);
    }
  });

  test("referrers are listed by type, with those that are tagged as cosign does", async () => {
    const subject = layoutArchive([image("a.lan/app:1", "app")]);
    const [digest = "sha256:"] = subject.manifests;
    const describe = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 };
    const tag = `${digest.replace(":", "-")}.sig`;
    const registry = await startLayout([
      image("a.lan/app:1", "app"),
      image("", "sbom", { subject: describe, artifactType: "text/spdx" }),
      image("", "other", { subject: describe, artifactType: "text/other" }),
      image(`a.lan/app:${tag}`, "signature"),
    ]);
    const all = json<{ manifests: object[] }>(await send(registry, "GET", `/v2/app/referrers/${digest}`));
    expect(all.manifests).toHaveLength(2);
    const filtered = await send(registry, "GET", `/v2/app/referrers/${digest}?artifactType=text/spdx`);
    expect(filtered.headers["oci-filters-applied"]).toBe("artifactType");
    expect(json<{ manifests: object[] }>(filtered).manifests).toEqual([
      expect.objectContaining({ artifactType: "text/spdx" }),
    ]);
    const { tags } = json<{ tags: string[] }>(await send(registry, "GET", "/v2/app/tags/list"));
    expect(tags).toEqual(["1", tag]);
    expect((await send(registry, "GET", `/v2/app/manifests/${tag}`)).status).toBe(200);
    expect((await send(registry, "GET", `/v2/nowhere/referrers/${digest}`)).status).toBe(404);
  });
});

interface Manifest {
  readonly config: { readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
}

test("archives of every tool are served whole: manifests as they are, raw layers where there is no manifest", async () => {
  const archives = readdirSync(FIXTURES).filter(name => name.endsWith(".tar"));
  expect(archives.length).toBeGreaterThan(20);
  for (const name of archives) {
    const registry = await startArchives([join(FIXTURES, name)]);
    for (const repository of await names(registry)) {
      const { tags } = json<{ tags: string[] }>(await send(registry, "GET", `/v2/${repository}/tags/list`));
      for (const tag of tags) {
        const reply = await send(registry, "GET", `/v2/${repository}/manifests/${tag}`);
        expect([name, reply.status, reply.headers["docker-content-digest"]]).toEqual([name, 200, digestOf(reply.body)]);
        const { config, layers = [] } = json<Partial<Manifest>>(reply);
        for (const { digest, size } of config === undefined ? [] : [config, ...layers]) {
          const blob = await send(registry, "GET", `/v2/${repository}/blobs/${digest}`);
          expect([name, blob.status, blob.body.length, digestOf(blob.body)]).toEqual([name, 200, size, digest]);
        }
      }
    }
    await registry.close();
  }
});

test("the manifest that an image without one gets is the same each time, and has raw layers", async () => {
  const replies: Reply[] = [];
  for (let start = 0; start < 2; start += 1) {
    const registry = await startArchives([join(FIXTURES, "docker20-shared.tar")]);
    replies.push(await send(registry, "GET", "/v2/app/manifests/1.0"));
  }
  const [first, second] = replies;
  expect(first?.body.equals(second?.body ?? Buffer.alloc(0))).toBe(true);
  expect(json<Manifest>(first as Reply).layers.map(({ mediaType }) => mediaType)).toEqual([
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
  ]);
});

describe("starting", () => {
  test.each(["hello.tar.gz", "hello.tar.zst", "hello.tar.xz", "hello.tar.bz2"])(
    "%s is refused, because it can be read only from front to back",
    async name => {
      await expect(startArchives([join(FIXTURES, name)])).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(
          /^Cannot read archive ".*" at any position: compressed with .* as a whole, expected a plain tar/,
        ),
      });
    },
  );

  test("a folder that is no layout, and one name with two digests, are refused with their own errors", async () => {
    await expect(startArchives(["src"])).rejects.toMatchObject({ reason: "no-metadata" });
    const [one, two] = ["one", "two"].map(seed => layoutArchive([image("a.lan/app:1", seed)]).bytes);
    const paths = [await fileWith(one ?? Buffer.alloc(0)), await fileWith(two ?? Buffer.alloc(0))];
    await expect(startArchives(paths)).rejects.toMatchObject({ reason: "two-images" });
  });

  test("either archives or a store", async () => {
    await expect(startArchives([])).rejects.toMatchObject({ exitCode: 2 });
  });
});
