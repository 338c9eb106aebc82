import { describe, expect, test } from "vitest";
import { digest } from "../../../../src/verbs/query/digest.ts";
import { exists } from "../../../../src/verbs/query/exists.ts";
import { type Fault, json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { putImage, putIndex } from "./listed-registry.ts";

const ALWAYS = Number.POSITIVE_INFINITY;

function withoutHeader(on: RegExp): Fault {
  return {
    on,
    times: ALWAYS,
    change: ({ headers }) => ({ headers: { "content-type": headers["content-type"] ?? "" } }),
  };
}

describe("digest()", () => {
  test("digest() needs one HEAD", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    expect(await digest(`${registry.host}/app:1`)).toEqual({
      reference: `${registry.host}/app@${image.digest}`,
      digest: image.digest,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
    });
    expect(registry.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  test.each<[string, Fault]>([
    ["sends no digest", withoutHeader(/ \/v2\/app\/manifests/)],
    [
      "sends a digest that is none",
      { on: /^HEAD/, change: ({ headers }) => ({ headers: { ...headers, "docker-content-digest": "sha256:1" } }) },
    ],
    ["answers 404 to every HEAD, as Nexus does", { on: /^HEAD/, reply: { status: 404 } }],
    ["does not know HEAD", { on: /^HEAD/, reply: { status: 405 } }],
  ])("digest() reads and hashes the manifest where the registry %s", async (_name, fault) => {
    const registry = await ScriptedRegistry.start({ faults: [fault] });
    const image = putImage(registry.content, ["app:1"]);
    expect((await digest(`${registry.host}/app:1`)).digest).toBe(image.digest);
    expect(registry.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  });

  test("M-02 digest() refuses a pinned digest that stands for something else", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    const other = putImage(registry.content, ["app:2"]);
    registry.addFault({
      on: /^HEAD/,
      change: ({ headers }) => ({ headers: { ...headers, "docker-content-digest": other.digest } }),
    });
    await expect(digest(`${registry.host}/app@${image.digest}`)).rejects.toMatchObject({ exitCode: 6 });
  });

  test("digest() of a platform is that of the child, and says what there is instead", async () => {
    const registry = await ScriptedRegistry.start();
    const amd64 = putImage(registry.content, [], { architecture: "amd64" });
    const arm64 = putImage(registry.content, [], { architecture: "arm64" });
    const index = putIndex(registry.content, ["app:1"], { amd64, arm64 });
    expect((await digest(`${registry.host}/app:1`)).digest).toBe(index.digest);
    expect(await digest(`${registry.host}/app:1`, { platform: "linux/arm64" })).toMatchObject({
      digest: arm64.digest,
      platform: "linux/arm64",
    });
    await expect(digest(`${registry.host}/app:1`, { platform: "linux/s390x" })).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringContaining("expected one of linux/amd64, linux/arm64"),
    });
  });
});

describe("exists()", () => {
  test("exists() is true for what is there, and false for what is not", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    expect(await exists(`${registry.host}/app:1`)).toBe(true);
    expect(await exists(`${registry.host}/app@${image.digest}`)).toBe(true);
    expect(await exists(`${registry.host}/app:2`)).toBe(false);
  });

  test("exists() does not take a refusal for a no", async () => {
    const auth = { scheme: "basic", user: "ci", password: "secret" } as const;
    const registry = await ScriptedRegistry.start({ auth });
    await expect(exists(`${registry.host}/app:1`)).rejects.toMatchObject({ exitCode: 4 });
    await expect(
      exists(`${registry.host}/app:1`, { registry: { auth: { username: "ci", password: "wrong" } } }),
    ).rejects.toMatchObject({
      exitCode: 4,
    });
    expect(await exists(`${registry.host}/app:1`, { registry: { auth: { username: "ci", password: "secret" } } })).toBe(
      false,
    );
    const broken = await ScriptedRegistry.start({
      faults: [{ on: /manifests/, times: ALWAYS, reply: json(501, {}) }],
    });
    await expect(exists(`${broken.host}/app:1`)).rejects.toMatchObject({ exitCode: 8 });
  });
});
