import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, registryAccount, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";

const { username, password, htpasswd } = registryAccount;
const hello = fixture("docker20-hello.tar");

describeWith(["docker-registry"], "imgpack with credentials", () => {
  let registry: DockerRegistry;
  let imgpack: Imgpack;
  beforeAll(async () => {
    [registry, imgpack] = await Promise.all([startDockerRegistry({ htpasswd }), createImgpack()]);
  });
  afterAll(async () => {
    await Promise.all([registry?.close(), imgpack?.close()]);
  });

  /** A docker configuration with one login for the registry. */
  async function configWith(name: string, secret: string): Promise<string> {
    const folder = join(imgpack.folder, name);
    await mkdir(folder);
    const auth = Buffer.from(`${username}:${secret}`).toString("base64");
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    return folder;
  }

  test("imgpack push without credentials ends with exit code 4", async () => {
    const refused = await imgpack.run(["push", hello, "--registry", registry.host]);
    expect(refused).toMatchObject({ code: 4, stdout: "", stderr: expect.stringContaining(registry.host) });
  });

  test("imgpack push with a wrong password ends with exit code 4 and does not print it", async () => {
    const secret = "wrong-horse-battery";
    const flags = ["--username", username, "--password-stdin", "--verbose"];
    const refused = await imgpack.run(["push", hello, "--registry", registry.host, ...flags], { input: secret });
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).toContain(username);
    expect(refused.stderr).not.toContain(secret);
    expect(refused.stderr).not.toContain(Buffer.from(`${username}:${secret}`).toString("base64"));
  });

  test("imgpack push and pull take the password from stdin", async () => {
    const flags = ["--username", username, "--password-stdin"];
    const input = `${password}\n`;
    await imgpack.push([hello, "--registry", registry.host, ...flags], { input });
    const output = join(imgpack.folder, "stdin.tar");
    await imgpack.pull([`${registry.host}/hello:latest`, "-o", output, ...flags], { input });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
  });

  test("imgpack push and pull take credentials from docker's configuration", async () => {
    const env = { DOCKER_CONFIG: await configWith("right", password) };
    await imgpack.push([hello, "--to", `${registry.host}/config`], { env });
    const output = join(imgpack.folder, "config.tar");
    await imgpack.pull([`${registry.host}/config/hello:latest`, "-o", output], { env });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
  });

  test("imgpack pull with a wrong password in docker's configuration ends with exit code 4", async () => {
    const env = { DOCKER_CONFIG: await configWith("wrong", "wrong-horse-battery") };
    const output = join(imgpack.folder, "refused.tar");
    const refused = await imgpack.run(["pull", `${registry.host}/hello:latest`, "-o", output], { env });
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).not.toContain("wrong-horse-battery");
  });
});
