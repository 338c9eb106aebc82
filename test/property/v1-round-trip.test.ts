import fc from "fast-check";
import { expect, test } from "vitest";
import { v1ChainJson } from "../../src/oci/legacy/v1-chain-json.ts";
import { connectV1 } from "../../src/registry/v1/connect-v1.ts";
import { readV1Image } from "../../src/registry/v1/read-v1-image.ts";
import { openV1Registry } from "../../src/registry/v1/store/open-v1-registry.ts";
import type { V1Client } from "../../src/registry/v1/v1-client.ts";
import { pushV1, type V1PushLayer } from "../../src/registry/v1/writing/push-v1.ts";
import { sha256 } from "../support/memory-registry.ts";
import type { V1Manner } from "../support/v1/v1-options.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";

const MANNERS: readonly V1Manner[] = ["0.6", "0.8", "0.9"];
const HOME = "/nonexistent/home";
const OPTIONS = { home: HOME, root: HOME, env: { XDG_RUNTIME_DIR: HOME }, attempts: 1 };
const APP = { namespace: "team", name: "App" };

const fields = fc.dictionary(
  fc.string({ maxLength: 6 }).filter(key => !/^(?:id|parent|created|author|comment|container_config)$/i.test(key)),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 4 },
);
const layers = fc.array(fc.record({ fields, bytes: fc.uint8Array({ maxLength: 3000 }) }), {
  minLength: 1,
  maxLength: 6,
});

interface Started {
  readonly server: V1Registry;
  readonly client: V1Client;
}

async function startEach(): Promise<readonly Started[]> {
  return await Promise.all(
    MANNERS.map(async manner => {
      const server = await V1Registry.start({ manner });
      return { server, client: await connectV1(server.host, OPTIONS) };
    }),
  );
}

/** Pushes a chain, reads it back, and pushes it again. */
async function expectRoundTrip(
  { server, client }: Started,
  chain: readonly (V1PushLayer & { bytes: Uint8Array })[],
): Promise<void> {
  const id = chain.at(-1)?.id ?? "";
  const image = { tags: ["1"], id, chain };
  await pushV1(client, APP, [image]);
  await using store = await openV1Registry(server.host, OPTIONS);
  const session = await store.open(APP);
  const found = await readV1Image(session, "1");
  expect(found.id).toBe(id);
  expect(found.chain.map(({ json }) => json.id)).toEqual(chain.map(layer => layer.id));
  for (const [index, { json }] of found.chain.entries()) {
    expect(Buffer.from(json.bytes)).toEqual(Buffer.from(chain[index]?.json ?? []));
    const parts: Uint8Array[] = [];
    for await (const part of (await session.layer(json.id)).read()) parts.push(Buffer.from(part));
    expect(Buffer.concat(parts)).toEqual(Buffer.from(chain[index]?.bytes ?? []));
  }
  server.requests.length = 0;
  await pushV1(client, APP, [image]);
  expect(server.seen(/^PUT .*\/layer$/)).toEqual([]);
}

function pushed(id: string, json: Uint8Array, bytes: Uint8Array): V1PushLayer & { bytes: Uint8Array } {
  return {
    id,
    json,
    bytes,
    size: async () => bytes.length,
    open: async function* () {
      yield bytes;
    },
  };
}

test("ids, JSON and layers of any old image survive push and pull", async () => {
  const started = await startEach();
  await fc.assert(
    fc.asyncProperty(layers, fc.constantFrom(...started), async (parts, to) => {
      let parent: string | undefined;
      const chain = parts.map(({ fields: own, bytes }, index) => {
        const body = { ...own, ...(parent === undefined ? {} : { parent }) };
        const id = sha256(Buffer.from(`${index}${JSON.stringify(body)}${sha256(Buffer.from(bytes))}`)).slice(7);
        parent = id;
        return pushed(id, Buffer.from(JSON.stringify({ id, ...body }, undefined, index % 3)), bytes);
      });
      await expectRoundTrip(to, chain);
    }),
    { numRuns: 25, seed: 15 },
  );
});

test("ids and chain of any newer image survive, and a second push meets the first", async () => {
  const started = await startEach();
  await fc.assert(
    fc.asyncProperty(layers, fc.constantFrom(...started), async (parts, to) => {
      const config = {
        ...parts[0]?.fields,
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: parts.map(({ bytes }) => sha256(Buffer.from(bytes))) },
      };
      const chain = v1ChainJson(Buffer.from(JSON.stringify(config)), "image");
      expect(chain).toHaveLength(parts.length);
      await expectRoundTrip(
        to,
        chain.map(({ id, json }, index) => pushed(id, json, parts[index]?.bytes ?? new Uint8Array())),
      );
    }),
    { numRuns: 25, seed: 15 },
  );
});
