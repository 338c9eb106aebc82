import { describe, expect, onTestFinished, test } from "vitest";
import { Repository } from "../../src/registry/client/repository.ts";
import { registrySource } from "../../src/registry/registry-source.ts";
import { CANARIES, clientOf, failureOf } from "../support/canaries.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const auth = { scheme: "bearer", user: "ci", password: CANARIES.password } as const;
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

describe("A-01 layers that name a place of their own (CVE-2020-15157, CVE-2026-24845)", () => {
  test.each([
    ["A-01 a layer that the registry has", 200],
    ["A-02 a layer that the registry has not (CVE-2026-49349, GO-2026-5822)", 404],
    ["A-02 a layer that the registry fails to send", 403],
  ])("%s is never asked for elsewhere", async (_what, status) => {
    const evil = await ScriptedRegistry.start({
      faults: [
        { on: /./, times: 9, reply: { status: 401, headers: { "www-authenticate": 'Bearer realm="http://x/"' } } },
      ],
    });
    const registry = await ScriptedRegistry.start({ auth });
    const layer = Buffer.from("layer");
    const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
    registry.content.addBlob(layer);
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        digest: registry.content.addBlob(config),
        size: config.length,
      },
      layers: [{ mediaType: FOREIGN, digest: sha256(layer), size: layer.length, urls: [`${evil.url}/layer`] }],
    };
    registry.content.addManifest("team/app:1", MANIFEST, Buffer.from(JSON.stringify(manifest)));
    if (status !== 200) registry.addFault({ on: new RegExp(`blobs/${sha256(layer)}`), times: 9, reply: { status } });
    const client = await clientOf(registry.host, { username: "ci", password: CANARIES.password });
    const reference = { registry: registry.host, repository: "team/app", tag: "1" };
    const source = registrySource([reference], async ({ repository }) => new Repository(client, repository));
    onTestFinished(async () => await source[Symbol.asyncDispose]());
    for await (const _root of source.roots());
    const read = async (): Promise<string> => {
      const blob = await source.blob({
        mediaType: FOREIGN,
        digest: sha256(layer) as `sha256:${string}`,
        size: layer.length,
      });
      const parts: Buffer[] = [];
      for await (const part of await blob.open()) parts.push(part as Buffer);
      return Buffer.concat(parts).toString();
    };
    if (status === 200) await expect(read()).resolves.toBe("layer");
    else await failureOf(read());
    expect(evil.requests).toEqual([]);
  });
});
