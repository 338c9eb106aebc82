import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { type Credentials, findCredentials } from "../../src/registry/credentials/find-credentials.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "imgpack-match-"));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function lookUp(registry: string, content: string, repository?: string): Promise<Credentials | undefined> {
  const file = join(home, "auth.json");
  await writeFile(file, content);
  return await findCredentials(registry, { env: { REGISTRY_AUTH_FILE: file, PATH: home }, home, repository });
}

function auths(...keys: string[]): string {
  const entry = { auth: Buffer.from("canary-user:canary-password").toString("base64") };
  return JSON.stringify({ auths: Object.fromEntries(keys.map(key => [key, entry])) });
}

describe("A-07 only an exact registry name gets credentials (CVE-2026-59891, GHSA-pf56-329r-95rw)", () => {
  test.each([
    ["registry.example", "evil-registry.example"],
    ["registry.example", "registry.example.evil.example"],
    ["registry.example", "reg"],
    ["registry.example", "registry.example:5000"],
    ["registry.example:5000", "registry.example"],
    ["registry.example:5000", "registry.example:50"],
    ["registry.example:50", "registry.example:5000"],
    ["registry.example", "registry.example."],
    ["registry.example/team", "registry.example"],
    ["evil.example/registry.example", "registry.example"],
    ["https://evil.example/https://registry.example", "registry.example"],
    ["https://registry.example@evil.example", "registry.example"],
    ["https://index.docker.io/v1/", "docker.io.evil.example"],
    ["https://index.docker.io/v1/", "hub.docker.com"],
    ["docker.io", "evil-docker.io"],
    ["", "registry.example"],
    ["__proto__", "registry.example"],
  ])("A-07 key %j is not for %s", async (key, registry) => {
    await expect(lookUp(registry, auths(key))).resolves.toBeUndefined();
  });

  test("A-07 a namespace key holds for whole path segments only", async () => {
    const config = auths("registry.example/team");
    await expect(lookUp("registry.example", config, "team")).resolves.toMatchObject({ username: "canary-user" });
    await expect(lookUp("registry.example", config, "teammate/app")).resolves.toBeUndefined();
    await expect(lookUp("registry.example", config, "other/team")).resolves.toBeUndefined();
  });
});

describe("A-08 no cloud suffix heuristics (CVE-2026-105769, GHSA-5q7h-w9jf-cx97)", () => {
  test.each(["*.azurecr.io", "azurecr.io", ".azurecr.io"])("A-08 key %s matches no registry below it", async key => {
    await expect(lookUp("name.azurecr.io", auths(key))).resolves.toBeUndefined();
    await expect(lookUp("name.azurecr.io.evil.example", auths(key, "name.azurecr.io"))).resolves.toBeUndefined();
    // A helper that was asked would be missing from PATH, which is an error.
    const helpers = JSON.stringify({ credHelpers: { [key]: "acr-env" } });
    await expect(lookUp("name.azurecr.io", helpers)).resolves.toBeUndefined();
  });
});

describe("A-16 a broken configuration is never quoted (CVE-2019-11250, CVE-2020-8564)", () => {
  test.each([
    ["cut off", '{"auths":{"r":{"auth":"canary'],
    ["a bare word", '{"auths":{"r":{"auth":canary}}}'],
    ["text instead of JSON", "canary-user:canary-password"],
    ["a list for an entry", '{"auths":{"r":["canary"]}}'],
    ["a number for a secret", '{"auths":{"r":{"auth":123,"password":"canary"}}}'],
    ["two documents", '{"auths":{}}"canary"'],
    ["a repeated key", '{"auths":{"r":{"auth":"canary","auth":"canary"}}}'],
    ["a text for the helpers", '{"credHelpers":"canary"}'],
  ])("A-16 %s", async (_what, content) => {
    const thrown: unknown = await lookUp("r", content).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AuthError);
    expect(thrown).toMatchObject({ message: expect.stringContaining("auth.json") });
    for (let error = thrown; error instanceof Error; error = error.cause) {
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("canary");
    }
  });
});
