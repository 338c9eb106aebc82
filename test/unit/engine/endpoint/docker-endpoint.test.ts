import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputFile, outputJson } from "fs-extra/esm";
import { describe, expect, test } from "vitest";
import { dockerEndpoint } from "../../../../src/engine/endpoint/docker-endpoint.ts";
import { podmanEndpoint } from "../../../../src/engine/endpoint/podman-endpoint.ts";
import { UsageError } from "../../../../src/errors.ts";
import { temporaryFolder } from "../../../support/images.ts";

async function withContext(name: string, endpoint: unknown, current = name): Promise<string> {
  const folder = await temporaryFolder();
  const id = createHash("sha256").update(name).digest("hex");
  await outputJson(join(folder, "contexts", "meta", id, "meta.json"), { Name: name, Endpoints: { docker: endpoint } });
  await outputJson(join(folder, "config.json"), { currentContext: current });
  return folder;
}

describe("dockerEndpoint()", () => {
  test("dockerEndpoint() takes DOCKER_HOST before a context", async () => {
    const folder = await withContext("lab", { Host: "unix:///lab.sock" });
    const { address } = await dockerEndpoint({ DOCKER_CONFIG: folder, DOCKER_HOST: "unix:///host.sock" });
    expect(address).toBe("unix:///host.sock");
  });

  test("dockerEndpoint() takes the current context, or that of DOCKER_CONTEXT", async () => {
    const folder = await withContext("lab", { Host: "unix:///lab.sock" }, "default");
    expect((await dockerEndpoint({ DOCKER_CONFIG: folder })).address).toMatch(/docker\.sock$|docker_engine$/);
    expect((await dockerEndpoint({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: "lab" })).address).toBe("unix:///lab.sock");
    const current = await withContext("lab", { Host: "unix:///lab.sock" });
    expect((await dockerEndpoint({ DOCKER_CONFIG: current })).address).toBe("unix:///lab.sock");
    expect((await dockerEndpoint({ DOCKER_CONFIG: current, DOCKER_CONTEXT: "default" })).address).not.toBe(
      "unix:///lab.sock",
    );
  });

  test("dockerEndpoint() takes the certificates of a context", async () => {
    const folder = await withContext("far", { Host: "tcp://build.lan:2376", SkipTLSVerify: false });
    const id = createHash("sha256").update("far").digest("hex");
    await outputFile(join(folder, "contexts", "tls", id, "docker", "ca.pem"), "CA");
    const { tls, at } = await dockerEndpoint({ DOCKER_CONFIG: folder });
    expect(tls).toMatchObject({ ca: Buffer.from("CA"), rejectUnauthorized: true });
    expect(at).toEqual({ host: "build.lan", port: 2376 });
  });

  test.each([
    ["a context that does not exist", async () => await withContext("lab", { Host: "unix:///lab.sock" }, "other")],
    ["a context without an address", async () => await withContext("lab", {})],
    ["a context over ssh", async () => await withContext("lab", { Host: "ssh://build.lan" })],
  ])("dockerEndpoint() refuses %s", async (_what, make) => {
    await expect(dockerEndpoint({ DOCKER_CONFIG: await make() })).rejects.toThrow(UsageError);
  });

  test("dockerEndpoint() refuses a configuration that is no JSON", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "config.json"), "{");
    await expect(dockerEndpoint({ DOCKER_CONFIG: folder })).rejects.toThrow(UsageError);
  });

  test("dockerEndpoint() reads the certificates of DOCKER_CERT_PATH only for tcp:// with DOCKER_TLS_VERIFY or DOCKER_TLS", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "key.pem"), "KEY");
    const env = { DOCKER_CONFIG: folder, DOCKER_CERT_PATH: folder, DOCKER_HOST: "tcp://build.lan:1" };
    expect((await dockerEndpoint(env)).tls).toBeUndefined();
    expect((await dockerEndpoint({ ...env, DOCKER_TLS: "1" })).tls?.rejectUnauthorized).toBe(false);
    const { tls } = await dockerEndpoint({ ...env, DOCKER_TLS_VERIFY: "1" });
    expect(tls).toEqual({ ca: undefined, cert: undefined, key: Buffer.from("KEY"), rejectUnauthorized: true });
    expect(
      (await dockerEndpoint({ ...env, DOCKER_TLS_VERIFY: "1", DOCKER_HOST: "unix:///d.sock" })).tls,
    ).toBeUndefined();
  });

  test.skipIf(process.platform === "win32")("dockerEndpoint() finds the socket of a rootless docker", async () => {
    const folder = await temporaryFolder();
    const without = await dockerEndpoint({ DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder });
    expect(without.address).toBe("unix:///var/run/docker.sock");
    await writeFile(join(folder, "docker.sock"), "");
    const { address } = await dockerEndpoint({ DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder });
    expect(["unix:///var/run/docker.sock", `unix://${folder}/docker.sock`]).toContain(address);
  });
});

describe("podmanEndpoint()", () => {
  test("podmanEndpoint() takes CONTAINER_HOST, and refuses one over ssh", async () => {
    expect((await podmanEndpoint({ CONTAINER_HOST: "unix:///p.sock" }))?.address).toBe("unix:///p.sock");
    await expect(podmanEndpoint({ CONTAINER_HOST: "ssh://build.lan" })).rejects.toThrow(UsageError);
  });

  test.skipIf(process.getuid?.() === 0)("podmanEndpoint() finds the socket of this user, if there is one", async () => {
    const folder = await temporaryFolder();
    expect(await podmanEndpoint({ XDG_RUNTIME_DIR: folder })).toBeUndefined();
    await outputFile(join(folder, "podman", "podman.sock"), "");
    expect((await podmanEndpoint({ XDG_RUNTIME_DIR: folder }))?.address).toBe(`unix://${folder}/podman/podman.sock`);
  });
});
