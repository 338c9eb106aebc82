import { describe, expect, test } from "vitest";
import { catalog } from "../../../../src/index.ts";
import { listCatalog } from "../../../../src/registry/api/list-catalog.ts";
import { listReferrers } from "../../../../src/registry/api/referrers.ts";
import type { RegistryClient } from "../../../../src/registry/client/registry-client.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { ownEnvironment } from "../../../support/command-line.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";

ownEnvironment();

/** A registry whose pages never end. Nothing of it goes over a network. */
function endless(page: (number: number) => unknown, type = "application/json"): RegistryClient {
  let pages = 0;
  const base = new URL("http://registry.lan/");
  const open = async ({ url }: { readonly url: URL }): Promise<object> => {
    pages += 1;
    const bytes = Buffer.from(JSON.stringify(page(pages)));
    const headers = { "content-type": [type], link: [`</v2/next?page=${pages}>; rel="next"`] };
    const body = {
      async *[Symbol.asyncIterator]() {
        yield bytes;
      },
      destroy: () => undefined,
    };
    return { status: 200, url, headers, body };
  };
  const retrying = async (_what: string, _signal: unknown, task: () => Promise<unknown>): Promise<unknown> =>
    await task();
  return { registry: "registry.lan", base, open, retrying } as unknown as RegistryClient;
}

async function drain(pages: AsyncIterable<readonly unknown[]>): Promise<void> {
  for await (const page of pages) expect(page.length).toBeGreaterThan(0);
}

describe("a list without an end", () => {
  test("a registry with ever new repositories is refused after a million of them", async () => {
    const page = (number: number): unknown => ({
      repositories: Array.from({ length: 360_000 }, (_, entry) => `${number}${entry}`),
    });
    await expect(drain(listCatalog(endless(page)))).rejects.toMatchObject({
      exitCode: 8,
      message: "Cannot read list of repositories from registry.lan: found more than 1000000 entries, expected fewer",
    });
  });

  test("a registry with ever new pages of long names is refused after 64 MiB", async () => {
    const long = "x".repeat(1_000_000);
    const page = (number: number): unknown => ({
      repositories: ["a", "b", "c", "d"].map(one => `${one}${number}${long}`),
    });
    await expect(drain(listCatalog(endless(page)))).rejects.toMatchObject({
      exitCode: 8,
      message: "Cannot read list of repositories from registry.lan: found more than 67108864 bytes, expected fewer",
    });
  });

  test("the referrers of an image are limited in the same way", async () => {
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const page = (number: number): unknown => {
      const digest = `sha256:${number.toString(16).padStart(64, "0")}`;
      const note = "x".repeat(1_000_000);
      const annotations = { a: note, b: note, c: note, d: note };
      return { schemaVersion: 2, manifests: [{ mediaType, digest, size: 1, annotations }] };
    };
    const client = endless(page, "application/vnd.oci.image.index.v1+json");
    const listed = listReferrers(new Repository(client, "app"), `sha256:${"a".repeat(64)}`);
    await expect(listed).rejects.toThrow("found more than 67108864 bytes, expected fewer");
  });

  test("a page of 250,000 entries is a page, and not a RangeError", async () => {
    const repositories = Array.from({ length: 250_000 }, (_, entry) => `${entry}`);
    const body = Buffer.from(JSON.stringify({ repositories }));
    const registry = await ScriptedRegistry.start({ faults: [{ on: /_catalog/, reply: { status: 200, body } }] });
    registry.addFault({ on: /_catalog/, times: 9, reply: { status: 200, body: Buffer.from('{"repositories":[]}') } });
    const found = await catalog(registry.host);
    expect(found.repositories).toHaveLength(250_000);
  });
});
