// An image of one platform, when another one was asked for.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { config, convert, copy, digest, inspect, manifest, pull, rawManifest, referrers } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

ownEnvironment();

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** `app:1` is linux/amd64; `artifact:1` is no image; `attestation:1` runs on unknown/unknown. */
async function registryWithImages(): Promise<ScriptedRegistry> {
  const registry = await ScriptedRegistry.start();
  storeImage(registry.content, [seededBytes("layer", 2000)]);
  const put = (name: string, mediaType: string, bytes: Buffer): void => {
    registry.content.addBlob(bytes);
    const described = { mediaType, digest: sha256(bytes), size: bytes.length };
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: described, layers: [] };
    registry.content.addManifest(name, OCI_MANIFEST, Buffer.from(JSON.stringify(document)));
  };
  put("artifact:1", "application/vnd.oci.empty.v1+json", Buffer.from("{}"));
  const unknown = { os: "unknown", architecture: "unknown", rootfs: { type: "layers", diff_ids: [] } };
  put("attestation:1", "application/vnd.oci.image.config.v1+json", Buffer.from(JSON.stringify(unknown)));
  return registry;
}

describe("--platform linux/arm64 of an image for linux/amd64 alone", () => {
  test("fails in every function that takes a platform, and names what is there", async () => {
    const { host } = await registryWithImages();
    const name = `${host}/app:1`;
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const output = join(await temporaryFolder(), "out.tar");
    const platform = "linux/arm64";
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      pull: async () => await pull([name], { output, platform }),
      copy: async () => await copy(name, `${host}/other`, { platform }),
      convert: async () => await convert(archive, { output, platform }),
      manifest: async () => await manifest(name, { platform }),
      rawManifest: async () => await rawManifest(name, { platform }),
      config: async () => await config(name, { platform }),
      digest: async () => await digest(name, { platform }),
      referrers: async () => await referrers(name, { platform }),
    };
    for (const [verb, call] of Object.entries(calls)) {
      await expect(call(), verb).rejects.toMatchObject({
        exitCode: 5,
        message: expect.stringMatching(/^Cannot .*: no linux\/arm64 image in it, expected linux\/amd64$/),
      });
    }
    await expect(pull([name], { output, platform: ["linux/amd64", platform] })).rejects.toMatchObject({ exitCode: 5 });
    await expect(inspect(output)).rejects.toMatchObject({ exitCode: 9 });
  });

  test("lets artifacts and attestations pass", async () => {
    const { host } = await registryWithImages();
    const output = join(await temporaryFolder(), "out.tar");
    const references = [`${host}/artifact:1`, `${host}/attestation:1`];
    await expect(pull(references, { output, platform: "linux/arm64" })).resolves.toMatchObject({ platforms: [] });
    for (const reference of references) await digest(reference, { platform: "linux/arm64" });
  });
});

test("imgpack pull says which platform came, not which one is the default", async () => {
  const registry = await registryWithImages();
  const output = join(await temporaryFolder(), "out.tar");
  const { stderr } = await runCommand("pull", `${registry.host}/app:1`, "-o", output);
  expect(stderr).toMatch(/ \(linux\/amd64\)\n$/);
  expect(registry.seen(/^GET \/v2\/app\/blobs\//)).toHaveLength(2);
  const all = await runCommand("pull", `${registry.host}/app:1`, "-o", `${output}.all`, "--platform", "all");
  expect(all.stderr).toMatch(/ \(linux\/amd64\)\n$/);
  expect(registry.seen(/^GET \/v2\/app\/blobs\//)).toHaveLength(4);
});
