import { describe, expect, test } from "vitest";
import { catalog } from "../../../../src/verbs/query/catalog.ts";
import { json, ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { listing } from "./listed-registry.ts";

const MANY = Array.from({ length: 1200 }, (_, place) => `team/app-${String(place).padStart(4, "0")}`);

describe("catalog()", () => {
  test("catalog() follows pages, and stops at the limit", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [listing(/_catalog/, "repositories", MANY, { most: 500 })],
    });
    expect((await catalog(registry.host)).repositories).toEqual(MANY);
    expect(registry.requests).toHaveLength(3);
    expect((await catalog(registry.host, { limit: 3 })).repositories).toEqual(MANY.slice(0, 3));
  });

  test("catalog() asks the token server for the scope that the registry names", async () => {
    const auth = { scheme: "bearer", user: "ci", password: "secret" } as const;
    const registry = await ScriptedRegistry.start({ auth });
    const challenge = `Bearer realm="${registry.url}/token",service="test",scope="registry:catalog:*"`;
    registry.addFault({ on: /_catalog/, reply: { status: 401, headers: { "www-authenticate": challenge } } });
    registry.addFault({ on: /_catalog/, reply: json(200, { repositories: ["app"] }) });
    const { repositories } = await catalog(registry.host, {
      registry: { auth: { username: "ci", password: "secret" } },
    });
    expect(repositories).toEqual(["app"]);
    const [asked] = registry.seen(/^GET \/token/);
    expect(new URL(asked?.path ?? "", registry.url).searchParams.getAll("scope")).toEqual(["registry:catalog:*"]);
  });

  test.each([
    [404, 5],
    [405, 8],
    [501, 8],
    [401, 4],
    [403, 4],
  ])("catalog() explains status %i", async (status, exitCode) => {
    const registry = await ScriptedRegistry.start({ faults: [{ on: /_catalog/, times: 9, reply: json(status, {}) }] });
    await expect(catalog(registry.host)).rejects.toMatchObject({
      exitCode,
      message: expect.stringContaining(`Cannot read list of repositories from ${registry.host}: status ${status}`),
      hint: expect.stringContaining(exitCode === 4 ? "administrators only" : "no list of repositories"),
    });
  });
});
