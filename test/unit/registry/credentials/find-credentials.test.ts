import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AuthError, UsageError } from "../../../../src/errors.ts";
import {
  type CredentialOptions,
  type Credentials,
  credentialsFor,
  findCredentials,
} from "../../../../src/registry/credentials/find-credentials.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "imgpack-credentials-"));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function put(file: string, content: unknown): Promise<string> {
  const path = join(home, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function putHelper(name: string, script: string): Promise<void> {
  const path = await put(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

async function find(registry: string, options: CredentialOptions = {}): Promise<Credentials | undefined> {
  // An own runtime folder keeps the machine's /run/containers out of the tests.
  const env = { XDG_RUNTIME_DIR: join(home, "run"), PATH: `${join(home, "bin")}:/usr/bin:/bin`, ...options.env };
  return await findCredentials(registry, { home, ...options, env });
}

function auth(pair: string): { auth: string } {
  return { auth: Buffer.from(pair).toString("base64") };
}

describe("findCredentials()", () => {
  test("findCredentials() is anonymous without flags and files", async () => {
    await expect(find("registry.lan")).resolves.toBeUndefined();
  });

  test("findCredentials() takes flags before any file, and only as a pair", async () => {
    await put(".docker/config.json", { auths: { "registry.lan": auth("file:secret") } });
    await expect(find("registry.lan", { username: "ci", password: "pw" })).resolves.toEqual({
      username: "ci",
      password: "pw",
      source: "--username",
    });
    await expect(find("registry.lan", { username: "ci" })).rejects.toThrow(UsageError);
    await expect(find("registry.lan", { password: "pw" })).rejects.toThrow(UsageError);
    await expect(find("registry.lan", { username: "ci", password: "" })).rejects.toThrow("no password given");
  });

  test("findCredentials() reads docker's config.json and says so", async () => {
    const file = await put(".docker/config.json", {
      auths: { "registry.lan:5000": auth("ci:a:b\0\0") },
      HttpHeaders: {},
    });
    await expect(find("registry.lan:5000")).resolves.toEqual({ username: "ci", password: "a:b", source: file });
  });

  test("findCredentials() follows DOCKER_CONFIG", async () => {
    await put(".docker/config.json", { auths: { r: auth("home:1") } });
    await put("other/config.json", { auths: { r: auth("other:2") } });
    await expect(find("r", { env: { DOCKER_CONFIG: join(home, "other") } })).resolves.toMatchObject({
      username: "other",
    });
  });

  test("findCredentials() asks podman's files before docker's", async () => {
    await put(".docker/config.json", { auths: { "registry.lan": auth("docker:1"), "only.lan": auth("docker:1") } });
    await put(".config/containers/auth.json", { auths: { "registry.lan": auth("config:1") } });
    await expect(find("registry.lan")).resolves.toMatchObject({ username: "config" });
    await put("run/containers/auth.json", { auths: { "registry.lan": auth("runtime:1") } });
    await expect(find("registry.lan")).resolves.toMatchObject({ username: "runtime" });
    await expect(find("only.lan")).resolves.toMatchObject({ username: "docker" });
  });

  test("findCredentials() reads only REGISTRY_AUTH_FILE when it is set, which must exist", async () => {
    await put(".docker/config.json", { auths: { "registry.lan": auth("docker:1") } });
    const file = await put("own.json", { auths: { "other.lan": auth("own:1") } });
    await expect(find("registry.lan", { env: { REGISTRY_AUTH_FILE: file } })).resolves.toBeUndefined();
    await expect(find("other.lan", { env: { REGISTRY_AUTH_FILE: file } })).resolves.toMatchObject({ username: "own" });
    const missing = find("registry.lan", { env: { REGISTRY_AUTH_FILE: join(home, "missing.json") } });
    await expect(missing).rejects.toThrow(/no such file, expected an auth\.json/);
  });

  test.each(["docker.io", "index.docker.io", "registry-1.docker.io"])(
    "findCredentials() finds Docker Hub's entry as %s",
    async registry => {
      await put(".docker/config.json", { auths: { "https://index.docker.io/v1/": auth("hub:1") } });
      await expect(find(registry)).resolves.toMatchObject({ username: "hub" });
    },
  );

  test.each([
    "https://registry.lan:5000",
    "http://REGISTRY.lan:5000/",
    "https://registry.lan:5000/v2/",
    "registry.lan:5000/v1/",
  ])("findCredentials() finds registry.lan:5000 under the key %s", async key => {
    await put(".docker/config.json", { auths: { [key]: auth("ci:1") } });
    await expect(find("registry.lan:5000")).resolves.toMatchObject({ username: "ci" });
    await expect(find("registry.lan")).resolves.toBeUndefined();
  });

  test("findCredentials() prefers the longest namespace, then the exact key", async () => {
    await put(".docker/config.json", {
      auths: {
        "https://r.lan/v1/": auth("old:1"),
        "r.lan": auth("host:1"),
        "r.lan/team": auth("team:1"),
        "r.lan/team/app": auth("app:1"),
      },
    });
    const user = async (repository?: string): Promise<string | undefined> =>
      (await find("r.lan", { repository }))?.username;
    await expect(user()).resolves.toBe("host");
    await expect(user("team/app")).resolves.toBe("app");
    await expect(user("team/app/sub")).resolves.toBe("app");
    await expect(user("team/application")).resolves.toBe("team");
    await expect(user("teams/x")).resolves.toBe("host");
  });

  test("findCredentials() reads identity tokens and plain fields", async () => {
    const file = await put(".docker/config.json", {
      auths: {
        "acr.lan": { ...auth("00000000-0000-0000-0000-000000000000:"), identitytoken: "refresh" },
        "k8s.lan": { username: "u", password: "p" },
      },
    });
    await expect(find("acr.lan")).resolves.toEqual({
      username: "00000000-0000-0000-0000-000000000000",
      password: "",
      identityToken: "refresh",
      source: file,
    });
    await expect(find("k8s.lan")).resolves.toMatchObject({ username: "u", password: "p" });
  });

  test.each([
    ["an empty marker", {}],
    ["no colon", { auth: Buffer.from("nocolon").toString("base64") }],
    ["no base64", { auth: "***" }],
    ["null", null],
  ])("findCredentials() skips an entry with %s", async (_what, entry) => {
    await put(".docker/config.json", { auths: { "registry.lan": entry, "https://registry.lan": auth("next:1") } });
    await expect(find("registry.lan")).resolves.toMatchObject({ username: "next" });
  });

  test("findCredentials() takes an empty file for an empty configuration", async () => {
    await put(".docker/config.json", "");
    await expect(find("registry.lan")).resolves.toBeUndefined();
  });

  test("findCredentials() refuses a configuration file that is a folder or too large", async () => {
    await put(".docker/config.json/inner", "x");
    await expect(find("registry.lan")).rejects.toThrow(AuthError);
    await rm(join(home, ".docker"), { recursive: true });
    await put(".docker/config.json", `{"x":"${"a".repeat(1024 * 1024)}"}`);
    await expect(find("registry.lan")).rejects.toThrow("expected a file up to 1 MiB");
  });
});

describe.skipIf(process.platform === "win32")("findCredentials() with credential helpers", () => {
  test("findCredentials() asks the registry's helper with the registry's name on stdin", async () => {
    await putHelper("own", 'read -r server; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$server" "$1"');
    await put(".docker/config.json", { credHelpers: { "registry.lan:5000": "own" }, credsStore: "missing" });
    await expect(find("registry.lan:5000")).resolves.toEqual({
      username: "get",
      password: "s",
      source: `docker-credential-own (${join(home, ".docker/config.json")})`,
    });
  });

  test("findCredentials() asks for Docker Hub under docker's key", async () => {
    await putHelper("own", 'read -r server; printf \'{"ServerURL":"","Username":"%s","Secret":"s"}\' "$server"');
    await put(".docker/config.json", { credsStore: "own", auths: { "https://index.docker.io/v1/": {} } });
    await expect(find("docker.io")).resolves.toMatchObject({ username: "https://index.docker.io/v1/" });
  });

  test("findCredentials() takes the user <token> for an identity token", async () => {
    await putHelper("own", 'echo \'{"ServerURL":"","Username":"<token>","Secret":"refresh"}\'');
    await put(".docker/config.json", { credsStore: "own" });
    await expect(find("acr.lan")).resolves.toMatchObject({ username: "", password: "", identityToken: "refresh" });
  });

  test("credentialsFor() starts a helper once for all repositories of a registry, and reads each file once", async () => {
    const asked = join(home, "asked");
    await putHelper("own", `echo x >> "${asked}"; echo '{"ServerURL":"","Username":"u","Secret":"s"}'`);
    const file = await put(".docker/config.json", { credsStore: "own" });
    const env = { XDG_RUNTIME_DIR: join(home, "run"), PATH: `${join(home, "bin")}:/usr/bin:/bin` };
    const find = credentialsFor("r.lan", { home, env });
    const together = await Promise.all(["one", "two", "three"].map(async name => await find(name)));
    await rm(file);
    for (const found of [...together, await find("four")]) expect(found).toMatchObject({ username: "u" });
    expect(await readFile(asked, "utf8")).toBe("x\n");
  });

  test("credentialsFor() finds credentials for an image while another one of its repository is stopped", async () => {
    await putHelper("own", 'echo \'{"ServerURL":"","Username":"u","Secret":"s"}\'');
    await put(".docker/config.json", { credsStore: "own" });
    const env = { XDG_RUNTIME_DIR: join(home, "run"), PATH: `${join(home, "bin")}:/usr/bin:/bin` };
    const find = credentialsFor("r.lan", { home, env });
    const stop = new AbortController();
    const [stopped, other] = [find("app", stop.signal), find("app")];
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    await expect(other).resolves.toMatchObject({ username: "u" });
  });

  test("findCredentials() goes on when a helper knows no credentials", async () => {
    await putHelper("own", 'echo "credentials not found in native keychain"; exit 1');
    await put(".docker/config.json", {
      credHelpers: { "r.lan": "own" },
      auths: { "r.lan": auth("entry:1") },
      credsStore: "own",
    });
    await expect(find("r.lan")).resolves.toMatchObject({ username: "entry" });
    await expect(find("other.lan")).resolves.toBeUndefined();
  });

  test("findCredentials() stops a helper when the signal aborts", async () => {
    const marker = join(home, "started");
    await putHelper("own", `: > "${marker}"; exec sleep 60`);
    await put(".docker/config.json", { credsStore: "own" });
    const controller = new AbortController();
    const abortOnceStarted = (): unknown =>
      existsSync(marker) ? controller.abort(new Error("stop")) : setImmediate(abortOnceStarted);
    abortOnceStarted();
    await expect(find("r.lan", { signal: controller.signal })).rejects.toThrow("stop");
  });
});
