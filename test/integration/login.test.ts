import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, registryAccount, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { type RunResult, run } from "./peers/run.ts";
import { startTokenServer, type TokenServer } from "./peers/token-server.ts";

const { username, password, htpasswd } = registryAccount;
const hello = fixture("docker20-hello.tar");
const AUTH = Buffer.from(`${username}:${password}`).toString("base64");

let imgpack: Imgpack;
let registry: DockerRegistry;

/** An empty docker configuration folder, as environment. */
async function emptyConfig(name: string): Promise<{ readonly DOCKER_CONFIG: string; readonly HOME: string }> {
  const folder = join(imgpack.folder, name);
  await mkdir(folder);
  return { DOCKER_CONFIG: folder, HOME: folder };
}

async function logIn(env: Readonly<Record<string, string>>, secret: string = password): Promise<RunResult> {
  const words = ["login", registry.host, "-u", username, "--password-stdin"];
  return await imgpack.run(words, { env, input: `${secret}\n` });
}

describeWith(["docker-registry"], "imgpack login with Basic", () => {
  beforeAll(async () => {
    [registry, imgpack] = await Promise.all([startDockerRegistry({ htpasswd }), createImgpack()]);
  });
  afterAll(async () => await Promise.all([registry?.close(), imgpack?.close()]));

  test("imgpack login lets push and pull in, logout shuts them out", async () => {
    const env = await emptyConfig("round");
    const file = join(env.DOCKER_CONFIG, "config.json");
    expect(await logIn(env)).toMatchObject({ code: 0, stdout: `Logged in to ${registry.host} as ${username}\n` });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await imgpack.push([hello, "--registry", registry.host], { env });
    const loggedOut = await imgpack.run(["logout", registry.host], { env });
    expect(loggedOut).toMatchObject({ code: 0, stdout: `Logged out of ${registry.host}\n`, stderr: "" });
    await expect(readFile(file, "utf8")).resolves.not.toContain(AUTH);
    await expect(imgpack.run(["push", hello, "--registry", registry.host], { env })).resolves.toMatchObject({
      code: 4,
    });
    const again = await imgpack.run(["logout", registry.host], { env });
    expect(again).toMatchObject({ code: 0, stdout: `Not logged in to ${registry.host}: nothing to remove\n` });
  });

  test("imgpack login warns of the unencrypted password, and never prints it", async () => {
    const env = await emptyConfig("warning");
    const { stdout, stderr } = await logIn(env);
    expect(stderr).toContain(`The password is stored unencrypted in ${join(env.DOCKER_CONFIG, "config.json")}`);
    expect(stdout + stderr).not.toContain(password);
    expect(stdout + stderr).not.toContain(AUTH);
  });

  test("imgpack login with a wrong password ends with exit code 4, and writes nothing", async () => {
    const env = await emptyConfig("wrong");
    const refused = await logIn(env, "wrong-horse");
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).not.toContain("wrong-horse");
    await expect(stat(join(env.DOCKER_CONFIG, "config.json"))).rejects.toThrow("ENOENT");
  });

  test("imgpack login keeps the password in docker's credential helper", async () => {
    const env = await emptyConfig("helper");
    const folder = env.DOCKER_CONFIG;
    const script = `#!/bin/sh
case "$1" in store) cat > "${folder}/kept" ;; get) cat "${folder}/kept" ;; erase) rm "${folder}/kept" ;; esac
`;
    await writeFile(join(folder, "docker-credential-peers"), script);
    await chmod(join(folder, "docker-credential-peers"), 0o755);
    await writeFile(join(folder, "config.json"), '{"credsStore":"peers"}');
    const withHelper = { ...env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    expect(await logIn(withHelper)).toMatchObject({ code: 0, stderr: "" });
    await expect(readFile(join(folder, "config.json"), "utf8")).resolves.not.toContain(AUTH);
    await imgpack.push([hello, "--to", `${registry.host}/helper`], { env: withHelper });
  });

  describeWith(["skopeo"], "imgpack and skopeo read each other's logins", () => {
    test("skopeo reads what imgpack login wrote", async () => {
      const env = await emptyConfig("to-skopeo");
      await logIn(env);
      await imgpack.push([hello, "--to", `${registry.host}/skopeo`], { env });
      const words = ["inspect", "--tls-verify=false", `docker://${registry.host}/skopeo/hello:latest`];
      await expect(run("skopeo", words, { env: { ...env, REGISTRY_AUTH_FILE: undefined } })).resolves.toMatchObject({
        code: 0,
      });
      const anonymous = { HOME: join(imgpack.folder, "nobody"), DOCKER_CONFIG: join(imgpack.folder, "nobody") };
      await expect(run("skopeo", words, { env: anonymous })).resolves.not.toMatchObject({ code: 0 });
    });

    test("imgpack reads what skopeo login wrote, and both log each other out", async () => {
      const authFile = join(imgpack.folder, "skopeo-auth.json");
      const env = { REGISTRY_AUTH_FILE: authFile };
      const words = ["login", "--tls-verify=false", "-u", username, "--password-stdin", registry.host];
      await expect(run("skopeo", words, { env, input: password })).resolves.toMatchObject({ code: 0 });
      await imgpack.push([hello, "--to", `${registry.host}/from-skopeo`], { env });
      await expect(imgpack.run(["logout", registry.host], { env })).resolves.toMatchObject({ code: 0 });
      await expect(run("skopeo", ["login", "--get-login", registry.host], { env })).resolves.not.toMatchObject({
        code: 0,
      });
      expect(await logIn(env)).toMatchObject({ code: 0 });
      await expect(run("skopeo", ["login", "--get-login", registry.host], { env })).resolves.toMatchObject({
        code: 0,
        stdout: `${username}\n`,
      });
      await expect(run("skopeo", ["logout", registry.host], { env })).resolves.toMatchObject({ code: 0 });
      const nothing = await imgpack.run(["logout", registry.host], { env });
      expect(nothing.stdout).toContain("nothing to remove");
    });
  });

  describeWith(["docker"], "docker reads what imgpack login wrote", () => {
    test("docker manifest inspect asks the registry with imgpack's login", async () => {
      const env = await emptyConfig("to-docker");
      await logIn(env);
      await imgpack.push([hello, "--to", `${registry.host}/docker`], { env });
      const words = ["manifest", "inspect", "--insecure", `${registry.host}/docker/hello:latest`];
      await expect(run("docker", words, { env })).resolves.toMatchObject({ code: 0 });
      await imgpack.run(["logout", registry.host], { env });
      await expect(run("docker", words, { env })).resolves.not.toMatchObject({ code: 0 });
    });
  });
});

describeWith(["docker-registry"], "imgpack with a token server", () => {
  const refreshToken = "refresh-horse";
  let tokens: TokenServer;
  beforeAll(async () => {
    [tokens, imgpack] = await Promise.all([startTokenServer({ username, password, refreshToken }), createImgpack()]);
    const roots = join(imgpack.folder, "roots.pem");
    await writeFile(roots, tokens.certificate);
    registry = await startDockerRegistry({ env: { REGISTRY_AUTH: "token", ...tokens.registryEnv(roots) } });
  });
  afterAll(async () => await Promise.all([registry?.close(), tokens?.close(), imgpack?.close()]));

  test("imgpack login asks for no scope, push and pull for one token each", async () => {
    const env = await emptyConfig("token");
    expect(await logIn(env)).toMatchObject({ code: 0 });
    await imgpack.push([hello, "--to", `${registry.host}/team`], { env });
    const output = join(imgpack.folder, "token.tar");
    await imgpack.pull([`${registry.host}/team/hello:latest`, "-o", output], { env });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
    expect(tokens.requests).toEqual([
      "GET basic",
      "GET basic repository:team/hello:pull,push",
      "GET basic repository:team/hello:pull",
    ]);
  });

  test("imgpack push buys its tokens with the identity token of docker's configuration", async () => {
    const env = await emptyConfig("identity");
    const auths = { [registry.host]: { identitytoken: refreshToken } };
    await writeFile(join(env.DOCKER_CONFIG, "config.json"), JSON.stringify({ auths }));
    await imgpack.push([hello, "--to", `${registry.host}/identity`], { env });
    // The first one of the push itself, and one to mount what the other repository has.
    const scope = "POST refresh repository:identity/hello:pull,push";
    expect(tokens.requests.slice(-2)).toEqual([scope, `${scope} repository:team/hello:pull`]);
    expect(registry.log()).not.toContain(refreshToken);
  });

  test("imgpack push takes the login of the namespace, not that of the registry", async () => {
    const env = await emptyConfig("namespace");
    const auths = {
      [registry.host]: { auth: Buffer.from("nobody:wrong").toString("base64") },
      [`${registry.host}/own`]: { auth: AUTH },
    };
    await writeFile(join(env.DOCKER_CONFIG, "config.json"), JSON.stringify({ auths }));
    await imgpack.push([hello, "--to", `${registry.host}/own`], { env });
    const refused = await imgpack.run(["push", hello, "--to", `${registry.host}/other`], { env });
    expect(refused).toMatchObject({ code: 4, stdout: "" });
  });

  test("imgpack push takes a token from stdin", async () => {
    const url = `${tokens.registryEnv("")["REGISTRY_AUTH_TOKEN_REALM"]}?scope=repository:bare/hello:pull,push`;
    const reply = await fetch(url, { headers: { authorization: `Basic ${AUTH}` } });
    const { token } = (await reply.json()) as { token: string };
    const before = tokens.requests.length;
    await imgpack.push([hello, "--to", `${registry.host}/bare`, "--token-stdin"], { input: `${token}\n` });
    expect(tokens.requests).toHaveLength(before);
  });
});
