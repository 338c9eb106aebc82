import { describe, expect, test } from "vitest";
import { OCI_INDEX, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { page } from "../../../src/serve/listings.ts";
import type { RunningRegistry } from "../../../src/serve/server.ts";
import {
  descriptor,
  digestOf,
  errorCodes,
  imageManifest,
  pushImage,
  putManifest,
  send,
  start,
} from "./registry-client.ts";

async function list(registry: RunningRegistry, path: string): Promise<{ entries: string[]; link: unknown }> {
  const { body, headers } = await send(registry, "GET", path);
  const answer = JSON.parse(body.toString()) as { tags?: string[]; repositories?: string[] };
  return { entries: answer.tags ?? answer.repositories ?? [], link: headers["link"] };
}

describe("tags/list", () => {
  async function withTags(count: number): Promise<RunningRegistry> {
    const registry = await start();
    const manifest = await pushImage(registry, "app", "z");
    const query = Array.from({ length: count }, (_, n) => `tag=t${n}`).join("&");
    await putManifest(registry, `/v2/app/manifests/${digestOf(manifest)}?${query}`, manifest);
    return registry;
  }

  test("lists in ASCII order", async () => {
    const registry = await withTags(3);
    const manifest = imageManifest("{}", "layer");
    for (const tag of ["B", "_a", "10", "9"]) await putManifest(registry, `/v2/app/manifests/${tag}`, manifest);
    const { body } = await send(registry, "GET", "/v2/app/tags/list");
    expect(JSON.parse(body.toString())).toEqual({ name: "app", tags: ["10", "9", "B", "_a", "t0", "t1", "t2", "z"] });
  });

  test("pages by n and last; following the Links gives every tag once", async () => {
    const registry = await withTags(7);
    const seen: string[] = [];
    let path: string | undefined = "/v2/app/tags/list?n=3";
    while (path !== undefined) {
      const { entries, link } = await list(registry, path);
      seen.push(...entries);
      path = typeof link === "string" ? /^<([^>]+)>; rel="next"$/.exec(link)?.[1] : undefined;
    }
    expect(seen).toEqual(["t0", "t1", "t2", "t3", "t4", "t5", "t6", "z"]);
    expect(await list(registry, "/v2/app/tags/list?last=t5")).toEqual({ entries: ["t6", "z"], link: undefined });
    expect(await list(registry, "/v2/app/tags/list?n=8")).toMatchObject({ link: undefined });
  });

  test("S-02 n=0 is empty, a huge n is clamped, other text is refused (CVE-2023-2253)", async () => {
    const registry = await withTags(2);
    expect(await list(registry, "/v2/app/tags/list?n=0")).toEqual({ entries: [], link: undefined });
    expect((await list(registry, "/v2/app/tags/list?n=99999999999999999999")).entries).toHaveLength(3);
    for (const n of ["-1", "x", "1e3", ""]) {
      const reply = await send(registry, "GET", `/v2/app/tags/list?n=${n}`);
      expect([reply.status, ...errorCodes(reply)]).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
    }
  });

  test("an unknown repository is 404", async () => {
    const registry = await start();
    const reply = await send(registry, "GET", "/v2/app/tags/list");
    expect([reply.status, ...errorCodes(reply)]).toEqual([404, "NAME_UNKNOWN"]);
  });
});

describe("page()", () => {
  const names = Array.from({ length: 1500 }, (_, n) => `n${String(n).padStart(4, "0")}`);

  test("S-02 gives 1000 entries at most, asked for or not", () => {
    for (const query of ["", "n=1000", "n=1001", "n=99999999999999999999"]) {
      const { entries, headers } = page([...names].reverse(), new URLSearchParams(query), "/v2/_catalog");
      expect(entries).toEqual(names.slice(0, 1000));
      expect(headers["link"]).toBe('</v2/_catalog?n=1000&last=n0999>; rel="next"');
    }
  });

  test("takes any bytes in last for a place in the order", () => {
    const countAfter = (last: string): number => page(names, new URLSearchParams({ last }), "/").entries.length;
    expect([countAfter("n1498\u0000"), countAfter("~"), countAfter("../"), countAfter("n1499")]).toEqual([
      1, 0, 1000, 0,
    ]);
  });
});

test("_catalog pages through the repositories that have manifests", async () => {
  const registry = await start();
  for (const name of ["b/x", "a", "c"]) await pushImage(registry, name, "1");
  await send(registry, "POST", `/v2/only-blobs/blobs/uploads/?digest=${digestOf("x")}`, { body: "x" });
  expect((await list(registry, "/v2/_catalog")).entries).toEqual(["a", "b/x", "c"]);
  const first = await list(registry, "/v2/_catalog?n=2");
  expect(first).toEqual({ entries: ["a", "b/x"], link: '</v2/_catalog?n=2&last=b%2Fx>; rel="next"' });
  expect((await list(registry, "/v2/_catalog?n=2&last=b%2Fx")).entries).toEqual(["c"]);
});

describe("referrers", () => {
  const subject = descriptor(OCI_MANIFEST, "subject");
  const path = `/v2/app/referrers/${digestOf("subject")}`;

  async function referrers(registry: RunningRegistry, query = ""): Promise<Record<string, unknown>[]> {
    const { status, headers, body } = await send(registry, "GET", `${path}${query}`);
    expect([status, headers["content-type"]]).toEqual([200, OCI_INDEX]);
    const index = JSON.parse(body.toString()) as { mediaType: string; manifests: Record<string, unknown>[] };
    expect(index).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX });
    return index.manifests;
  }

  test("is an empty index for unknown subjects and repositories", async () => {
    const registry = await start();
    expect(await referrers(registry)).toEqual([]);
  });

  test("lists artifactType, or the config's type, and annotations; the filter is announced", async () => {
    const registry = await start();
    const plain = await pushImage(registry, "app", "a", { subject });
    const typed = await pushImage(registry, "app", "b", {
      subject,
      artifactType: "application/x.sbom",
      annotations: { __proto__x: "1", key: "value" },
    });
    const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject });
    await putManifest(registry, "/v2/app/manifests/c", index, OCI_INDEX);
    await pushImage(registry, "elsewhere", "a", { subject });
    const found = await referrers(registry);
    const wanted = [
      { ...descriptor(OCI_MANIFEST, plain), artifactType: "application/vnd.oci.image.config.v1+json" },
      {
        ...descriptor(OCI_MANIFEST, typed),
        artifactType: "application/x.sbom",
        annotations: { __proto__x: "1", key: "value" },
      },
      descriptor(OCI_INDEX, index),
    ];
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining(wanted));
    const reply = await send(registry, "GET", `${path}?artifactType=application%2Fx.sbom`);
    expect(reply.headers["oci-filters-applied"]).toBe("artifactType");
    expect(await referrers(registry, "?artifactType=application/x.sbom")).toEqual([wanted[1]]);
    expect(await referrers(registry, "?artifactType=application/other")).toEqual([]);
  });

  test("forgets deleted manifests", async () => {
    const registry = await start();
    const manifest = await pushImage(registry, "app", "a", { subject });
    await send(registry, "DELETE", `/v2/app/manifests/${digestOf(manifest)}`);
    expect(await referrers(registry)).toEqual([]);
  });

  test("S-10 is cut into pages below 4 MiB", async () => {
    const registry = await start();
    await pushImage(registry, "app", "x");
    const pushed: string[] = [];
    for (const n of ["1", "2", "3"]) {
      const text = "x".repeat(1_000_000);
      const annotations = { n, a: text, b: text };
      pushed.push(digestOf(await pushImage(registry, "app", `t${n}`, { subject, annotations })));
    }
    const seen: unknown[] = [];
    let next: string | undefined = path;
    let pages = 0;
    while (next !== undefined) {
      const { body, headers } = await send(registry, "GET", next);
      expect(body.length).toBeLessThan(4 * 1024 * 1024);
      const index = JSON.parse(body.toString()) as { manifests: { digest: string }[] };
      seen.push(...index.manifests.map(({ digest }) => digest));
      next = /^<([^>]+)>; rel="next"$/.exec(String(headers["link"]))?.[1];
      pages += 1;
    }
    expect(seen).toEqual([...pushed].sort());
    expect(pages).toBe(2);
  });
});
