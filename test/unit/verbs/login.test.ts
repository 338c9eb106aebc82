import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { AuthError, StorageError, UsageError } from "../../../src/errors.ts";
import { findCredentials } from "../../../src/registry/credentials/find-credentials.ts";
import { type LoginResult, login } from "../../../src/verbs/login.ts";
import { type LogoutResult, logout } from "../../../src/verbs/logout.ts";
import { CANARIES, expectNoCanary, failureOf, writtenError } from "../../support/canaries.ts";
import { temporaryFolder } from "../../support/images.ts";
import { ScriptedRegistry, type ScriptOptions } from "../../support/scripted-registry.ts";

const password = CANARIES.password;
const AUTH = Buffer.from(`ci:${password}`).toString("base64");

let home: string;
let config: string;

beforeEach(async () => {
  home = await temporaryFolder();
  config = join(home, ".docker", "config.json");
});

function env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { HOME: home, XDG_RUNTIME_DIR: join(home, "run"), PATH: `${join(home, "bin")}:/usr/bin:/bin`, ...more };
}

async function startRegistry(scheme: "basic" | "bearer" | "none"): Promise<ScriptedRegistry> {
  const options: ScriptOptions = scheme === "none" ? {} : { auth: { scheme, user: "ci", password } };
  const registry = await ScriptedRegistry.start(options);
  // The root answers 200 to whoever is let in.
  registry.addFault({
    on: /^GET \/v2\/$/,
    times: 99,
    change: reply => (reply.status === 404 ? { status: 200, body: Buffer.from("{}") } : {}),
  });
  return registry;
}

async function logIn(
  registry: ScriptedRegistry,
  more: NodeJS.ProcessEnv = {},
  secret: string = password,
): Promise<LoginResult> {
  return await login(registry.host, { username: "ci", password: secret, env: env(more), home });
}

async function logOut(registry: { readonly host: string }, more: NodeJS.ProcessEnv = {}): Promise<LogoutResult> {
  return await logout(registry.host, { env: env(more), home });
}

async function put(file: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode });
}

async function read(file = config): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}

/** A helper that keeps one login per server in a folder, and notes how it was called. */
async function putHelper(name: string): Promise<string> {
  const kept = join(home, "kept");
  await mkdir(kept, { recursive: true });
  const script = `#!/bin/sh
echo "$#:$*" >> "${home}/calls"
case "$1" in
store) cat > "${kept}/entry" ;;
get) cat > /dev/null; [ -f "${kept}/entry" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "${kept}/entry" ;;
erase) cat > "${home}/erased"; rm "${kept}/entry" ;;
esac
`;
  await put(join(home, "bin", `docker-credential-${name}`), script);
  await chmod(join(home, "bin", `docker-credential-${name}`), 0o755);
  return join(kept, "entry");
}

describe("login()", () => {
  test.each(["basic", "bearer"] as const)(
    "login() asks the registry (%s), then writes what docker reads",
    async scheme => {
      const registry = await startRegistry(scheme);
      await expect(logIn(registry)).resolves.toEqual({
        registry: registry.host,
        username: "ci",
        file: config,
        isChecked: true,
      });
      await expect(read()).resolves.toEqual({ auths: { [registry.host]: { auth: AUTH } } });
      expect((await stat(config)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(config))).mode & 0o777).toBe(0o700);
      await expect(readdir(dirname(config))).resolves.toEqual(["config.json"]);
      expect(registry.requests[0]?.headers.authorization).toBeUndefined();
    },
  );

  test("login() asks the token server for no scope", async () => {
    const registry = await startRegistry("bearer");
    await logIn(registry);
    expect(registry.seen(/token/).map(({ path }) => path)).toEqual(["/token?service=test&account=ci"]);
  });

  test.each(["basic", "bearer"] as const)("login() with a wrong password (%s) writes nothing", async scheme => {
    const registry = await startRegistry(scheme);
    const error = await failureOf(logIn(registry, {}, CANARIES.helper));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toMatch(new RegExp(`^Cannot log in to ${registry.host}: status 401 for user "ci"`));
    expectNoCanary(writtenError(error));
    await expect(stat(config)).rejects.toThrow("ENOENT");
  });

  test("login() says when nobody checked the password", async () => {
    await expect(logIn(await startRegistry("none"))).resolves.toMatchObject({ isChecked: false });
  });

  test("login() keeps all other content of the file, in its order, and narrows its mode", async () => {
    const registry = await startRegistry("basic");
    const before = {
      zebra: { b: [1, 2.5, "x"], a: null },
      HttpHeaders: { "X-Meta": "1" },
      auths: { "z.lan": { auth: "eDp5", email: "e@x" }, [registry.host]: { auth: "b2xkOm9sZA==" }, "a.lan/team": {} },
      plugins: {},
      __proto__: undefined,
    };
    await put(config, JSON.stringify(before), 0o644);
    await logIn(registry);
    const after = (await read()) as typeof before;
    expect(Object.keys(after)).toEqual(["zebra", "HttpHeaders", "auths", "plugins"]);
    expect(Object.keys(after.auths)).toEqual(["z.lan", registry.host, "a.lan/team"]);
    expect(after).toEqual({ ...before, auths: { ...before.auths, [registry.host]: { auth: AUTH } } });
    expect((await stat(config)).mode & 0o777).toBe(0o600);
  });

  test("login() writes behind a symbolic link, which stays one", async () => {
    const registry = await startRegistry("basic");
    const target = join(home, "dotfiles", "docker.json");
    await put(target, '{"x":1}');
    await mkdir(dirname(config));
    await symlink(target, config);
    await logIn(registry);
    expect((await lstat(config)).isSymbolicLink()).toBe(true);
    await expect(read(target)).resolves.toEqual({ x: 1, auths: { [registry.host]: { auth: AUTH } } });
    await expect(readdir(dirname(target))).resolves.toEqual(["docker.json"]);
  });

  test("login() refuses a link to nothing, and a file that it cannot read rightly", async () => {
    const registry = await startRegistry("basic");
    await mkdir(dirname(config));
    await symlink(join(home, "gone"), config);
    const dangling = await failureOf(logIn(registry));
    expect(dangling).toBeInstanceOf(StorageError);
    const broken = join(home, "broken");
    await put(join(broken, "config.json"), '{"auths":{},"auths":{}}');
    await expect(logIn(registry, { DOCKER_CONFIG: broken })).rejects.toThrow(AuthError);
    await expect(readFile(join(broken, "config.json"), "utf8")).resolves.toBe('{"auths":{},"auths":{}}');
    expectNoCanary(writtenError(dangling));
  });

  test("login() writes the file that REGISTRY_AUTH_FILE names", async () => {
    const registry = await startRegistry("basic");
    const file = join(home, "auth.json");
    await put(file, "{}");
    await expect(logIn(registry, { REGISTRY_AUTH_FILE: file })).resolves.toMatchObject({ file });
    await expect(read(file)).resolves.toEqual({ auths: { [registry.host]: { auth: AUTH } } });
  });

  test("login() says which file is read before the one it wrote", async () => {
    const registry = await startRegistry("basic");
    const podman = join(home, "run", "containers", "auth.json");
    await put(podman, JSON.stringify({ auths: { [registry.host]: { auth: "b2xkOm9sZA==" } } }));
    await expect(logIn(registry)).resolves.toMatchObject({ file: config, shadowedBy: podman });
  });

  test.each([
    ["the default helper", () => ({ credsStore: "own" })],
    ["the registry's own helper", (host: string) => ({ credsStore: "absent", credHelpers: { [host]: "own" } })],
  ])("login() hands the password to %s, on stdin", async (_what, settings) => {
    const registry = await startRegistry("basic");
    const entry = await putHelper("own");
    await put(config, JSON.stringify(settings(registry.host)));
    await expect(logIn(registry)).resolves.toMatchObject({ helper: "docker-credential-own", isChecked: true });
    await expect(read(entry)).resolves.toEqual({ ServerURL: registry.host, Username: "ci", Secret: password });
    await expect(read()).resolves.toEqual({ ...settings(registry.host), auths: { [registry.host]: {} } });
    expectNoCanary(await readFile(config, "utf8"), await readFile(join(home, "calls"), "utf8"));
    await expect(readFile(join(home, "calls"), "utf8")).resolves.toBe("1:store\n1:get\n");
  });

  test("login() fails when the helper does, and writes no password", async () => {
    const registry = await startRegistry("basic");
    await put(config, '{"credsStore":"absent"}');
    const error = await failureOf(logIn(registry));
    expect(error.message).toBe(
      `Cannot store credentials for ${registry.host} in "docker-credential-absent": no such program, expected exit status 0`,
    );
    expectNoCanary(writtenError(error));
    await expect(readFile(config, "utf8")).resolves.toBe('{"credsStore":"absent"}');
  });

  test.each([
    ["", "x", "no user name"],
    ["ci", "", "no password"],
    ["a:b", "x", "a user name with a colon"],
  ])("login() refuses user %j with password %j", async (username, secret, found) => {
    const refused = login("127.0.0.1:1", { username, password: secret, env: env(), home });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(found);
  });
});

describe("logout()", () => {
  test("logout() erases every spelling of the registry, and nothing else", async () => {
    const host = "registry.lan";
    const kept = { "registry.lan:5000": { auth: "YTpi" }, "registry.lan/team": { auth: "YTpi" }, "xregistry.lan": {} };
    const gone = { "https://registry.lan/v1/": { auth: "YTpi" }, [host]: { auth: "YTpi" }, "REGISTRY.lan": {} };
    await put(config, JSON.stringify({ auths: { ...gone, ...kept }, x: 1 }));
    await expect(logOut({ host })).resolves.toEqual({ registry: host, isErased: true, file: config });
    await expect(read()).resolves.toEqual({ auths: kept, x: 1 });
  });

  test("logout() says that there was nothing, and leaves the file as it is", async () => {
    await expect(logOut({ host: "registry.lan" })).resolves.toEqual({ registry: "registry.lan", isErased: false });
    await expect(stat(config)).rejects.toThrow("ENOENT");
    await put(config, ' {"auths": {}}\n');
    await expect(logOut({ host: "registry.lan" })).resolves.toMatchObject({ isErased: false });
    await expect(readFile(config, "utf8")).resolves.toBe(' {"auths": {}}\n');
  });

  test("logout() erases Docker Hub under all its names", async () => {
    await put(config, JSON.stringify({ auths: { "https://index.docker.io/v1/": { auth: "YTpi" }, "docker.io": {} } }));
    await expect(logOut({ host: "docker.io" })).resolves.toMatchObject({ isErased: true });
    await expect(read()).resolves.toEqual({ auths: {} });
  });

  test("logout() lets the helper forget, and undoes login()", async () => {
    const registry = await startRegistry("bearer");
    await putHelper("own");
    await put(config, '{"credsStore":"own"}');
    await logIn(registry);
    await expect(findCredentials(registry.host, { env: env(), home })).resolves.toMatchObject({ password });
    await expect(logOut(registry)).resolves.toMatchObject({ isErased: true, helper: "docker-credential-own" });
    await expect(readFile(join(home, "erased"), "utf8")).resolves.toBe(`${registry.host}\n`);
    await expect(findCredentials(registry.host, { env: env(), home })).resolves.toBeUndefined();
    await expect(logOut(registry)).resolves.toMatchObject({ isErased: false });
  });

  test("logout() says where credentials are left", async () => {
    const podman = join(home, "run", "containers", "auth.json");
    await put(podman, JSON.stringify({ auths: { "registry.lan": { auth: "YTpi" } } }));
    await expect(logOut({ host: "registry.lan" })).resolves.toMatchObject({ isErased: false, remainsIn: podman });
  });

  test("logout() refuses what is no registry", async () => {
    await expect(logOut({ host: "https://registry.lan/" })).rejects.toThrow(UsageError);
  });
});
