import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { AuthError, UsageError } from "../../../../src/errors.ts";
import {
  type CredentialOptions,
  type Credentials,
  credentialsFor,
  findCredentials,
} from "../../../../src/registry/credentials/find-credentials.ts";
import { temporaryFolder } from "../../../support/images.ts";

let home: string;

beforeEach(async () => {
  home = await temporaryFolder();
});

async function put(file: string, content: unknown): Promise<string> {
  const path = join(home, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function options(more: CredentialOptions = {}): CredentialOptions {
  const env = { XDG_RUNTIME_DIR: join(home, "run"), PATH: `${join(home, "bin")}:/usr/bin:/bin`, ...more.env };
  return { home, ...more, env };
}

async function find(registry: string, more: CredentialOptions = {}): Promise<Credentials | undefined> {
  return await findCredentials(registry, options(more));
}

function auth(pair: string): { auth: string } {
  return { auth: Buffer.from(pair).toString("base64") };
}

describe("findCredentials() in old and inline places", () => {
  test("findCredentials() reads ~/.dockercfg last, keys with and without scheme", async () => {
    const file = await put(".dockercfg", {
      "https://registry.lan/v1/": { ...auth("old:pw"), email: "x@y" },
      "b.lan": auth("b:pw"),
    });
    await expect(find("registry.lan")).resolves.toEqual({ username: "old", password: "pw", source: file });
    await expect(find("b.lan")).resolves.toMatchObject({ username: "b" });
    await expect(find("c.lan")).resolves.toBeUndefined();
    await put(".docker/config.json", { auths: { "registry.lan": auth("new:pw") } });
    await expect(find("registry.lan")).resolves.toMatchObject({ username: "new" });
  });

  test("findCredentials() takes no namespace of ~/.dockercfg for a registry", async () => {
    await put(".dockercfg", { "registry.lan/team": auth("team:pw") });
    await expect(find("registry.lan", { repository: "team/app" })).resolves.toBeUndefined();
  });

  test("findCredentials() refuses a broken ~/.dockercfg only when nothing stands before it", async () => {
    await put(".dockercfg", "nonsense");
    await expect(find("registry.lan")).rejects.toThrow(AuthError);
    await put(".docker/config.json", { auths: { "registry.lan": auth("new:pw") } });
    await expect(find("registry.lan")).resolves.toMatchObject({ username: "new" });
  });

  test("findCredentials() reads DOCKER_AUTH_CONFIG before docker's file and after podman's", async () => {
    await put(".docker/config.json", { auths: { "a.lan": auth("file:pw"), "b.lan": auth("file:pw") } });
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "a.lan": auth("inline:pw") } }) };
    await expect(find("a.lan", { env })).resolves.toEqual({
      username: "inline",
      password: "pw",
      source: "DOCKER_AUTH_CONFIG",
    });
    await expect(find("b.lan", { env })).resolves.toMatchObject({ username: "file" });
    await put("run/containers/auth.json", { auths: { "a.lan": auth("podman:pw") } });
    await expect(find("a.lan", { env })).resolves.toMatchObject({ username: "podman" });
  });

  test("findCredentials() reads a registry token, and none that a header cannot hold", async () => {
    const file = await put(".docker/config.json", {
      auths: { "a.lan": { registrytoken: "tok" }, "b.lan": { registrytoken: "to\nk" } },
    });
    await expect(find("a.lan")).resolves.toEqual({ username: "", password: "", registryToken: "tok", source: file });
    await expect(find("b.lan")).resolves.toBeUndefined();
  });

  test("findCredentials() takes a token from a flag, never beside a user", async () => {
    await expect(find("a.lan", { token: "tok" })).resolves.toEqual({
      username: "",
      password: "",
      registryToken: "tok",
      source: "--token-stdin",
    });
    await expect(find("a.lan", { token: "tok", username: "ci" })).rejects.toThrow(UsageError);
    await expect(find("a.lan", { token: "t k" })).rejects.toThrow("blank or control character");
  });

  test.each([
    ["registry.lan", "registry.lan", true],
    ["registry.lan:5000/mirror", "registry.lan:5000", true],
    ["docker.io", "index.docker.io", true],
    ["registry.lan", "registry.lan:5000", false],
    ["registry.lan", "evil-registry.lan", false],
    ["registry.lan", "registry.lan.evil.example", false],
  ])("findCredentials() with IMGPACK_REGISTRY=%s for %s: %s", async (named, registry, isMeant) => {
    const env = { IMGPACK_REGISTRY: named, IMGPACK_USERNAME: "ci", IMGPACK_PASSWORD: "pw" };
    const found = await find(registry, { env });
    expect(found).toEqual(isMeant ? { username: "ci", password: "pw", source: "IMGPACK_USERNAME" } : undefined);
    const token = await find(registry, { env: { IMGPACK_REGISTRY: named, IMGPACK_TOKEN: "tok" } });
    expect(token?.registryToken).toBe(isMeant ? "tok" : undefined);
  });

  test("findCredentials() takes flags before the environment", async () => {
    const env = { IMGPACK_USERNAME: "env", IMGPACK_PASSWORD: "pw" };
    await expect(find("a.lan", { env, username: "flag", password: "pw" })).resolves.toMatchObject({ username: "flag" });
  });
});

describe("credentialsFor()", () => {
  test("credentialsFor() chooses the longest namespace, and gives equal answers as one object", async () => {
    await put(".docker/config.json", {
      auths: { "r.lan": auth("all:1"), "r.lan/team": auth("team:2"), "r.lan/team/app": auth("app:3") },
    });
    const finder = credentialsFor("r.lan", options());
    const names = ["", "team", "team/app", "team/app/x", "team/apple", "teams", "other"];
    const found = await Promise.all(names.map(async name => await finder(name)));
    expect(found.map(entry => entry?.username)).toEqual(["all", "team", "app", "app", "team", "all", "all"]);
    expect(found[0]).toBe(found[6]);
    expect(found[0]).not.toBe(found[1]);
  });

  test("credentialsFor() asks a helper once per repository", async () => {
    const helper = await put(
      "bin/docker-credential-own",
      `#!/bin/sh\necho x >> "${home}/calls"\necho '{"Username":"u","Secret":"s"}'\n`,
    );
    await chmod(helper, 0o755);
    await put(".docker/config.json", { credsStore: "own" });
    const finder = credentialsFor("r.lan", options());
    await Promise.all([finder("a"), finder("a"), finder("a")]);
    await expect(readFile(join(home, "calls"), "utf8")).resolves.toBe("x\n");
  });

  test("credentialsFor() asks again after a failure", async () => {
    await put(".docker/config.json", "nonsense");
    const finder = credentialsFor("r.lan", options());
    await expect(finder("a")).rejects.toThrow(AuthError);
    await put(".docker/config.json", { auths: { "r.lan": auth("ci:pw") } });
    await expect(finder("a")).resolves.toMatchObject({ username: "ci" });
  });

  test("credentialsFor() refuses half a pair at once", () => {
    expect(() => credentialsFor("r.lan", options({ username: "ci" }))).toThrow(UsageError);
  });
});
