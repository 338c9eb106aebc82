import { describe, expect, test } from "vitest";
import { ping } from "../../../../src/verbs/query/ping.ts";
import { type Fault, json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { listing, putImage } from "./listed-registry.ts";

const DOOR: Fault = {
  on: /^GET \/v2\/$/,
  times: 99,
  change: ({ status, headers, body }) =>
    status === 401
      ? { status, headers, body }
      : { ...json(200, {}), headers: { "docker-distribution-api-version": "registry/2.0" } },
};

describe("ping()", () => {
  test("ping() tries what it can on the first repository of the catalog", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [DOOR, listing(/_catalog/, "repositories", ["app"]), listing(/tags\/list/, "tags", ["1"])],
    });
    putImage(registry.content, ["app:1"]);
    expect(await ping(registry.host)).toMatchObject({
      registry: registry.host,
      url: `${registry.url}/`,
      status: 200,
      apiVersion: "registry/2.0",
      auth: "none",
      access: "granted",
      catalog: "yes",
      triedOn: `${registry.host}/app:1`,
      head: "yes",
      ranges: "yes",
      referrers: "no",
    });
    expect(new Set(registry.requests.map(({ method }) => method))).toEqual(new Set(["GET", "HEAD"]));
  });

  test("ping() grants nothing where the repository that was named asks for a login", async () => {
    const registry = await ScriptedRegistry.start({ faults: [DOOR] });
    registry.addFault({ on: /\/team\/app\//, times: 9, reply: { status: 401 } });
    expect(await ping(`${registry.host}/team/app:2`)).toMatchObject({
      access: "refused",
      refusal: expect.stringContaining("/team/app: status 401"),
    });
  });

  test("ping() tries things on the image that it is given", async () => {
    const registry = await ScriptedRegistry.start({ faults: [DOOR] });
    putImage(registry.content, ["team/app:2"]);
    registry.addFault({ on: /^HEAD/, reply: { status: 405 } });
    registry.addFault({ on: /blobs/, change: () => ({ status: 200, headers: {} }) });
    expect(await ping(`${registry.host}/team/app:2`)).toMatchObject({
      catalog: "no",
      triedOn: `${registry.host}/team/app:2`,
      head: "no",
      ranges: "no",
    });
  });

  test.each(["basic", "bearer"] as const)("ping() tells the %s scheme, and whether the door opens", async scheme => {
    const auth = { scheme, user: "ci", password: "secret" };
    const registry = await ScriptedRegistry.start({ faults: [DOOR], auth });
    const refused = await ping(registry.host);
    expect(refused).toMatchObject({ status: 401, auth: scheme, access: "refused", catalog: "denied", head: "unknown" });
    expect(refused.refusal).toMatch(/401/);
    const granted = await ping(registry.host, { registry: { auth: { username: "ci", password: "secret" } } });
    expect(granted).toMatchObject({ access: "granted", ...(scheme === "bearer" ? { service: "test" } : {}) });
  });

  test("ping() tells a web server from a registry, and a closed port from both", async () => {
    const page = { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<html>") };
    const web = await ScriptedRegistry.start({ faults: [{ on: /./, times: 9, reply: page }] });
    await expect(ping(web.host)).rejects.toMatchObject({ exitCode: 8, message: expect.stringContaining("a web page") });
    const other = await ScriptedRegistry.start();
    await expect(ping(other.host)).rejects.toMatchObject({ exitCode: 5 });
    await other.close();
    await expect(ping(other.host)).rejects.toMatchObject({ exitCode: 7 });
    await expect(ping("http://registry.lan")).rejects.toMatchObject({ exitCode: 2 });
  });
});
