import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pull } from "../../src/index.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

/** A valid manifest of another image, answered for whatever is asked. */
const LIE = Buffer.from('{"schemaVersion":2,"config":{},"layers":[]}');

describe("M-02 a registry that answers a pinned digest with other bytes (CVE-2025-24882, GHSA-qv35-3gw6-8q4j)", () => {
  test.each<[string, (pinned: string) => Readonly<Record<string, string | string[]>>]>([
    ["repeats the pinned digest in its header", pinned => ({ "docker-content-digest": pinned })],
    ["tells the digest of the lie", () => ({ "docker-content-digest": sha256(LIE) })],
    ["tells both", pinned => ({ "docker-content-digest": [pinned, sha256(LIE)] })],
    ["tells none", () => ({})],
  ])("M-02 and %s is refused, and no archive is left", async (_, headers) => {
    const registry = await ScriptedRegistry.start();
    const { digest } = storeImage(registry.content, [seededBytes("layer", 1000)]);
    const type = "application/vnd.oci.image.manifest.v1+json";
    registry.addFault({
      on: /^GET .*\/manifests\/sha256:/,
      times: 99,
      change: () => ({
        headers: { "content-type": type, "content-length": String(LIE.length), ...headers(digest) },
        body: LIE,
      }),
    });
    const folder = await temporaryFolder();
    const output = join(folder, "app.tar");
    await expect(pull([`${registry.host}/app@${digest}`], { output })).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    expect(await readdir(folder)).toEqual([]);
  });
});
