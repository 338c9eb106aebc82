import { describe, expect, test } from "vitest";
import { hostPlatform } from "../../../../src/oci/platform.ts";
import { config } from "../../../../src/verbs/query/config.ts";
import { manifest, rawManifest } from "../../../../src/verbs/query/manifest.ts";
import { sha256 } from "../../../support/memory-registry.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { putImage, putIndex } from "./listed-registry.ts";

const HISTORY = [
  { created: "2024-01-01T00:00:00Z", created_by: "/bin/sh -c #(nop) ADD file:abc in / " },
  { created: "2024-01-01T00:00:01Z", created_by: "/bin/sh -c #(nop)  ENV A=1", empty_layer: true },
  { created: "2024-01-02T00:00:00Z", created_by: "RUN make" },
];

describe("rawManifest()", () => {
  test("rawManifest() gives the registry's bytes, of the index or of a platform", async () => {
    const registry = await ScriptedRegistry.start();
    const amd64 = putImage(registry.content, [], { architecture: "amd64" });
    const arm64 = putImage(registry.content, [], { architecture: "arm64" });
    const index = putIndex(registry.content, ["app:1"], { amd64, arm64 });
    const whole = await rawManifest(`${registry.host}/app:1`);
    expect(Buffer.from(whole.bytes).equals(index.bytes)).toBe(true);
    const one = await rawManifest(`${registry.host}/app:1`, { platform: "linux/arm64" });
    expect(Buffer.from(one.bytes).equals(arm64.bytes)).toBe(true);
    expect(one.reference).toBe(`${registry.host}/app@${arm64.digest}`);
  });

  test("M-02 rawManifest() gives nothing that is not what its digest says", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /manifests/, change: () => ({ body: Buffer.from("{}") }) }],
    });
    const image = putImage(registry.content, ["app:1"]);
    await expect(rawManifest(`${registry.host}/app@${image.digest}`)).rejects.toMatchObject({ exitCode: 6 });
  });
});

describe("manifest()", () => {
  test("manifest() names size, date and instruction of every layer", async () => {
    const registry = await ScriptedRegistry.start();
    const layers = [Buffer.from("base"), Buffer.from("make made this")];
    const image = putImage(registry.content, ["app:1"], { layers, history: HISTORY, created: "2024-01-02T00:00:00Z" });
    const result = await manifest(`${registry.host}/app:1`);
    expect(result).toMatchObject({ digest: image.digest, size: image.bytes.length });
    expect(result.platforms).toHaveLength(1);
    expect(result.platforms[0]).toMatchObject({
      platform: "linux/amd64",
      created: "2024-01-02T00:00:00Z",
      layerBytes: 18,
      layers: [
        {
          digest: sha256(Buffer.from("base")),
          size: 4,
          created: "2024-01-01T00:00:00Z",
          createdBy: HISTORY[0]?.created_by,
        },
        { size: 14, created: "2024-01-02T00:00:00Z", createdBy: "RUN make" },
      ],
    });
  });

  test("manifest() claims no instruction where history and layers do not pair", async () => {
    const registry = await ScriptedRegistry.start();
    putImage(registry.content, ["app:1"], { layers: [Buffer.from("one")], history: HISTORY });
    const [image] = (await manifest(`${registry.host}/app:1`)).platforms;
    expect(image?.layers[0]).not.toHaveProperty("createdBy");
    expect(image?.history).toHaveLength(3);
  });

  test("manifest() shows all platforms of an index, or the one that was asked for", async () => {
    const registry = await ScriptedRegistry.start();
    const amd64 = putImage(registry.content, [], { architecture: "amd64" });
    const arm64 = putImage(registry.content, [], { architecture: "arm64" });
    putIndex(registry.content, ["app:1"], { amd64, arm64 });
    const platforms = async (platform?: string): Promise<readonly unknown[]> =>
      (await manifest(`${registry.host}/app:1`, { platform })).platforms.map(image => image.platform);
    expect(await platforms()).toEqual(["linux/amd64", "linux/arm64"]);
    expect(await platforms("linux/arm64")).toEqual(["linux/arm64"]);
  });
});

describe("config()", () => {
  test("config() gives the bytes of the config, of this machine's platform or another", async () => {
    const registry = await ScriptedRegistry.start();
    const { architecture } = hostPlatform();
    const own = putImage(registry.content, [], { architecture });
    const other = putImage(registry.content, [], { architecture: "s390x" });
    putIndex(registry.content, ["app:1"], { s390x: other, [architecture]: own });
    const found = await config(`${registry.host}/app:1`);
    expect(Buffer.from(found.bytes).equals(own.configBytes)).toBe(true);
    expect(found.reference).toBe(`${registry.host}/app@${own.config}`);
    expect((await config(`${registry.host}/app:1`, { platform: "linux/s390x" })).digest).toBe(other.config);
  });

  test("config() refuses bytes that are not what the manifest says", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    registry.content.blobs.set(image.config, Buffer.from(image.configBytes.toString().replace("amd64", "amd65")));
    await expect(config(`${registry.host}/app:1`)).rejects.toMatchObject({ exitCode: 6 });
  });
});
